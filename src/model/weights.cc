// Looks weights up in a checkpoint, and lists those that are missing, left over or of another shape.
#include "model/weights.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::model {
namespace {

constexpr size_t kNamesShown = 4;

std::string with_shape(std::string_view name, const Shape& shape) {
  return fmt::format("{} {}", name, shape_text(shape));
}

bool ends_with_module(std::string_view name, std::string_view suffix) {
  return name == suffix || (name.ends_with(suffix) && name[name.size() - suffix.size() - 1] == '.');
}

/// "2 what (a, b)"; nothing for an empty list.
void append_group(std::string& text, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!text.empty()) text += ", ";
  const auto shown = std::min(names.size(), kNamesShown);
  text += fmt::format("{} {} ({}{})", names.size(), what, fmt::join(names.begin(), names.begin() + shown, ", "),
                      names.size() > shown ? ", ..." : "");
}

}  // namespace

Tensor ShapeRecorder::tensor(const std::string& name, const Shape& shape) {
  expected.push_back({name, shape});
  return Tensor(DType::kF32, shape, nullptr);
}

bool is_ignored_tensor(std::string_view name) {
  return ends_with_module(name, "num_batches_tracked") || ends_with_module(name, "anchors.boxes");
}

std::string KeyReport::text() const {
  std::string text;
  append_group(text, missing.size() == 1 ? "tensor missing" : "tensors missing", missing);
  append_group(text, "left over", left);
  std::vector<std::string> differences;
  for (const Wrong& w : wrong)
    differences.push_back(fmt::format("{}: {} where {} is expected", w.name, w.found, w.expected));
  append_group(text, "of another shape", differences);
  append_group(text, "of a type that weights do not have", foreign);
  return text;
}

CheckpointWeights::CheckpointWeights(const checkpoint::Checkpoint& checkpoint, std::string_view purpose)
    : checkpoint_(checkpoint), purpose_(purpose) {
  for (const checkpoint::NamedTensor& named : checkpoint.tensors)
    entries_.try_emplace(named.name, Entry{&named.tensor, nullptr});
  for (const checkpoint::ForeignTensor& tensor : checkpoint.foreign)
    entries_.try_emplace(tensor.name, Entry{nullptr, &tensor});
}

const Tensor* CheckpointWeights::find(const std::string& name, const Shape& shape) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    report_.missing.push_back(with_shape(name, shape));
    return nullptr;
  }
  found->second.used = true;
  if (found->second.foreign != nullptr) {
    report_.foreign.push_back(fmt::format("{}: {}", name, found->second.foreign->type));
    return nullptr;
  }
  const Tensor& tensor = *found->second.tensor;
  if (tensor.shape() == shape && is_float(tensor.dtype())) return &tensor;
  std::string what = shape_text(tensor.shape());
  if (!is_float(tensor.dtype())) what += fmt::format(" of {}", dtype_name(tensor.dtype()));
  report_.wrong.push_back({name, what, shape_text(shape)});
  return nullptr;
}

Tensor CheckpointWeights::tensor(const std::string& name, const Shape& shape) {
  const Tensor* found = find(name, shape);
  return found == nullptr ? Tensor(DType::kF32, shape, nullptr) : found->to(DType::kF32);
}

KeyReport CheckpointWeights::report() const {
  KeyReport report = report_;
  for (const checkpoint::NamedTensor& named : checkpoint_.tensors)
    if (!is_ignored_tensor(named.name) && !entries_.at(named.name).used)
      report.left.push_back(with_shape(named.name, named.tensor.shape()));
  return report;
}

void CheckpointWeights::finish() {
  const KeyReport report = this->report();
  if (!report.fits()) fail(report.code(), "{}: does not fit {}: {}", checkpoint_.path, purpose_, report.text());
}

KeyReport compare_tensors(const checkpoint::Checkpoint& checkpoint, std::span<const ExpectedTensor> expected) {
  CheckpointWeights weights(checkpoint, "");
  for (const ExpectedTensor& tensor : expected) weights.find(tensor.name, tensor.shape);
  return weights.report();
}

}  // namespace effdet::model
