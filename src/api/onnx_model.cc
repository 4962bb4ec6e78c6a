#include "effdet/onnx_model.h"

#include <algorithm>
#include <cmath>

#include "api/impl.h"
#include "api/model_config.h"
#include "api/weights_warning.h"
#include "base/error.h"
#include "base/memory.h"
#include "checkpoint/checkpoint.h"
#include "model/builder.h"
#include "model/metadata.h"
#include "onnx/reader.h"
#include "onnx/writer.h"
#include "ops/op.h"
#include "passes/equivalence.h"
#include "passes/pipeline.h"
#include "passes/surgery.h"
#include "passes/whole_check.h"
#include "detection/nms_graph.h"

namespace effdet {
namespace api {

TensorInfo tensor_info(const ir::Value& value) {
  return {value.name, std::string(dtype_name(value.dtype)), value.shape.value_or(Shape{})};
}

std::vector<TensorInfo> tensor_infos(std::span<const ir::Value> values) {
  std::vector<TensorInfo> infos;
  for (const ir::Value& value : values) infos.push_back(tensor_info(value));
  return infos;
}

std::vector<TensorInfo> tensor_infos(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<TensorInfo> infos;
  for (ir::ValueId id : ids) infos.push_back(tensor_info(graph.value(id)));
  return infos;
}

}  // namespace api

namespace {

bool is_minus_infinity(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kF32 && tensor->numel() == 1 &&
         tensor->data<float>()[0] == -INFINITY;
}

template <typename F>
void for_constants(const ir::Graph& graph, F&& call) {
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (const Tensor* constant = graph.constant(id)) call(graph.value(id).name, *constant);
  }
}

/// Whether a Pad pads with -inf; before opset 11 the constant is an attribute.
bool pads_with_minus_infinity(const ir::Graph& graph, const ir::Node& node) {
  if (!node.is("Pad")) return false;
  if (graph.opset < 11) return node.get_float("value", 0) == -INFINITY;
  return node.inputs.size() > 2 && is_minus_infinity(graph.constant(node.inputs[2]));
}

/// What is left of a limit for the whole process.
uint64_t memory_beside(uint64_t limit) { return limit - std::min(limit, memory_used()); }

void apply(const GraphEdits& edits, ir::Graph& graph) {
  for (const auto& [name, text] : edits.initializers) passes::set_initializer(graph, name, text);
  for (const auto& [node, attribute, value] : edits.attributes) passes::set_attribute(graph, node, attribute, value);
  for (const std::string& node : edits.removed_nodes) passes::remove_node(graph, node);
  for (const auto& [tensor, node] : edits.identities) passes::insert_identity(graph, tensor, node);
  passes::extract(graph, edits.extract_from, edits.outputs);
  passes::add_outputs(graph, edits.extra_outputs);
  if (edits.all_outputs) passes::add_all_outputs(graph);
  for (const auto& [from, to] : edits.renames) passes::rename(graph, from, to);
}

}  // namespace

OnnxModel::OnnxModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OnnxModel::OnnxModel(const OnnxModel& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
OnnxModel::OnnxModel(OnnxModel&&) noexcept = default;
OnnxModel& OnnxModel::operator=(OnnxModel other) noexcept {
  impl_ = std::move(other.impl_);
  return *this;
}
OnnxModel::~OnnxModel() = default;

OnnxModel OnnxModel::read(const std::filesystem::path& path) {
  OnnxModel model(std::make_unique<Impl>(Impl{onnx::read_onnx(path), path.string()}));
  api::name_source(path.string(), [&] { ops::infer_shapes(model.impl_->graph); });
  return model;
}

OnnxModel OnnxModel::from_checkpoint(const std::filesystem::path& path, const ModelOptions& options) {
  const checkpoint::Checkpoint checkpoint = checkpoint::read_checkpoint(path, {.use_ema = options.use_ema});
  OnnxModel model(std::make_unique<Impl>(
      Impl{model::build_graph(api::config_for(checkpoint, options), checkpoint), path.string()}));
  ops::infer_shapes(model.impl_->graph);
  api::tell(options, path, model.weights_warning());
  return model;
}

std::vector<std::filesystem::path> OnnxModel::write(const std::filesystem::path& path, Weights weights) const {
  constexpr onnx::Weights kWays[] = {onnx::Weights::kInside, onnx::Weights::kExternal, onnx::Weights::kNone};
  return onnx::write_onnx(impl_->graph, path, kWays[static_cast<size_t>(weights)]);
}

std::vector<TensorInfo> OnnxModel::inputs() const { return api::tensor_infos(impl_->graph, impl_->graph.inputs); }
std::vector<TensorInfo> OnnxModel::outputs() const { return api::tensor_infos(impl_->graph, impl_->graph.outputs); }
std::map<std::string, std::string> OnnxModel::metadata() const { return impl_->graph.metadata; }
int64_t OnnxModel::opset() const { return impl_->graph.opset; }

std::map<std::string, size_t> OnnxModel::node_counts() const {
  std::map<std::string, size_t> counts;
  for (const ir::Node& node : impl_->graph.nodes) ++counts[node.op];
  return counts;
}

std::optional<int64_t> OnnxModel::parameters() const { return model::parameters_of(impl_->graph.metadata); }

int64_t OnnxModel::weight_values() const {
  int64_t sum = 0;
  for_constants(impl_->graph, [&](const std::string&, const Tensor& constant) { sum += constant.numel(); });
  return sum;
}

uint64_t OnnxModel::weight_bytes() const {
  uint64_t sum = 0;
  for_constants(impl_->graph, [&](const std::string&, const Tensor& constant) { sum += constant.byte_size(); });
  return sum;
}

std::string OnnxModel::weights_warning() const { return api::weights_warning(impl_->graph); }

std::string OnnxModel::node_output(const std::string& node, size_t output) const {
  for (const ir::Node& candidate : impl_->graph.nodes)
    if (candidate.name == node && output < candidate.outputs.size() && candidate.outputs[output] != ir::kNoValue)
      return impl_->graph.value(candidate.outputs[output]).name;
  return "";
}

void OnnxModel::simplify(const SimplifyOptions& options) {
  ir::Graph& graph = impl_->graph;
  passes::SimplifyOptions internal{.fold_constants = options.fold_constants,
                                   .fuse_bn = options.fuse_batch_norm,
                                   .skip = {options.skip_passes.begin(), options.skip_passes.end()},
                                   .fold_limits = {.node_bytes = options.largest_growth}};
  if (options.on_growth)
    internal.fold_limits.on_refusal = [&](const ir::Node& node, uint64_t bytes) {
      options.on_growth(node.name, bytes);
    };
  for (const auto& [name, shape] : options.input_shapes) {
    if (name.empty() && graph.inputs.size() != 1)
      fail(ErrorCode::kUsage, "the model has {} inputs: say which as name:1,3,512,512", graph.inputs.size());
    internal.input_shapes[name.empty() ? graph.value(graph.inputs[0]).name : name] = shape;
  }
  api::name_source(impl_->source, [&] { passes::simplify(graph, internal); });
}

void OnnxModel::append_nms(const DetectOptions& options) { detection::append_nms(impl_->graph, options); }

std::vector<std::string> OnnxModel::simplify_passes() { return passes::pass_names(); }

void OnnxModel::edit(const GraphEdits& edits) {
  api::name_source(impl_->source, [&] { apply(edits, impl_->graph); });
}

ModelCheck OnnxModel::check(const OnnxModel& original, const CheckOptions& options) const {
  ThreadPool threads(default_thread_count());
  const passes::CheckReport report = api::name_source(impl_->source, [&] {
    return passes::check_equivalence(original.impl_->graph, impl_->graph,
                                     {.runs = options.runs,
                                      .seed = options.seed,
                                      .tolerance = options.tolerance,
                                      .memory_limit = memory_beside(options.memory_limit)},
                                     &threads);
  });
  return {.same = report.same,
          .difference = report.difference,
          .nodes = report.nodes,
          .unchanged = report.unchanged,
          .parts = report.parts,
          .reduced = report.reduced,
          .whole = static_cast<ModelCheck::Whole>(report.whole),
          .opaque = report.opaque,
          .operators = report.operators,
          .unchecked = report.unchecked};
}

double OnnxModel::difference(const OnnxModel& other, int runs, uint64_t seed, uint64_t memory_limit) const {
  ThreadPool threads(default_thread_count());
  return passes::compare_whole(impl_->graph, other.impl_->graph,
                               {.runs = runs, .seed = seed, .memory_limit = memory_beside(memory_limit)}, &threads)
      .difference;
}

bool OnnxModel::set_initializer(const std::string& name, float value) {
  const ir::ValueId id = impl_->graph.find_value(name);
  if (impl_->graph.constant(id) == nullptr) return false;
  ir::Value& found = impl_->graph.value(id);
  found.constant = Tensor::scalar(value);
  found.dtype = DType::kF32;
  found.shape = Shape{};
  return true;
}

int OnnxModel::zero_minus_infinity_pads() {
  ir::Graph& graph = impl_->graph;
  int count = 0;
  ir::ValueId zero = ir::kNoValue;
  for (ir::Node& node : graph.nodes) {
    if (!pads_with_minus_infinity(graph, node)) continue;
    ++count;
    if (graph.opset < 11) {
      node.attributes["value"] = 0.0f;
      continue;
    }
    // A constant of its own: others may read the one that says -inf.
    if (zero == ir::kNoValue) zero = graph.add_constant("pad_value_zero", Tensor::scalar(0.0f));
    node.inputs[2] = zero;
  }
  if (count > 0) graph.compact();
  return count;
}

}  // namespace effdet
