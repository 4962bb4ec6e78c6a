// Parses a ModelProto within limits, and checks its version and operator sets.
#include "onnx/model_file.h"

#include <algorithm>
#include <climits>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace effdet::onnx {
namespace {

constexpr int64_t kOldestIr = 3, kNewestIr = 14;
constexpr int64_t kOldestOpset = 7, kNewestOpset = 28;

void check_opsets(const pb::ModelProto& model, const std::string& file) {
  std::set<std::string> seen;
  for (const auto& import : model.opset_import()) {
    const std::string domain = canonical_domain(import.domain());
    if (!seen.insert(domain).second) bad_input("{}: opset_import names domain '{}' twice", file, domain);
    if (import.version() < 1) bad_input("{}: opset version {} of domain '{}'", file, import.version(), domain);
    if (domain.empty() && (import.version() < kOldestOpset || import.version() > kNewestOpset))
      fail(ErrorCode::kUnsupported, "{}: opset {} is not supported, only {} to {}; export the model with one of those",
           file, import.version(), kOldestOpset, kNewestOpset);
  }
  if (seen.empty()) bad_input("{}: opset_import names no operator set", file);
}

}  // namespace

std::unique_ptr<pb::ModelProto> load_model(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string& name = file.path();
  if (file.size() == 0) bad_input("{}: the file is empty", name);
  if (file.size() > INT_MAX)
    bad_input("{}: {} bytes; a protobuf message has at most 2 GiB, larger weights go to external data", name,
              file.size());
  auto model = std::make_unique<pb::ModelProto>();
  if (!model->ParseFromArray(file.bytes().data(), static_cast<int>(file.size())))
    bad_input("{}: not an ONNX model: the protobuf message is malformed, truncated or nested too deep", name);
  if (model->ir_version() < 1) bad_input("{}: not an ONNX model: ir_version is {}", name, model->ir_version());
  if (model->ir_version() < kOldestIr || model->ir_version() > kNewestIr)
    fail(ErrorCode::kUnsupported, "{}: IR version {} is not supported, only {} to {}", name, model->ir_version(),
         kOldestIr, kNewestIr);
  check_opsets(*model, name);
  if (!model->has_graph()) bad_input("{}: the model has no graph", name);
  return model;
}

int64_t own_opset(const pb::ModelProto& model) {
  for (const auto& import : model.opset_import())
    if (canonical_domain(import.domain()).empty()) return import.version();
  return 0;
}

std::string canonical_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

std::string label_of(const pb::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  const auto named = std::ranges::find_if(node.output(), [](const std::string& output) { return !output.empty(); });
  return named == node.output().end() ? "" : *named;
}

Shape shape_of(const pb::TypeProto_Tensor& type) {
  Shape shape;
  for (const auto& dim : type.shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
  return shape;
}

}  // namespace effdet::onnx
