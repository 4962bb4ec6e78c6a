// Counts nodes, weights, and weights that are no numbers.
#include "ir/inspect.h"

#include "base/error.h"

namespace effdet::ir {
namespace {

/// Elements whose exponent is all ones, which are NaN and infinity.
template <typename Bits>
int64_t count_exponents(const Tensor& tensor, Bits exponent) {
  const auto* bits = reinterpret_cast<const Bits*>(tensor.bytes().data());
  const int64_t count = tensor.numel();
  // Most tensors have none: a loop without counting, which is one of vectors, says so.
  Bits found = 0;
  for (int64_t i = 0; i < count; ++i) found |= static_cast<Bits>((bits[i] & exponent) == exponent);
  int64_t sum = 0;
  if (found != 0)
    for (int64_t i = 0; i < count; ++i) sum += (bits[i] & exponent) == exponent;
  return sum;
}

TensorInfo tensor_info(const Value& value) {
  return {value.name, std::string(dtype_name(value.dtype)), value.shape.value_or(Shape{})};
}

}  // namespace

std::vector<TensorInfo> tensor_infos(std::span<const Value> values) {
  std::vector<TensorInfo> infos;
  for (const Value& value : values) infos.push_back(tensor_info(value));
  return infos;
}

std::vector<TensorInfo> tensor_infos(const Graph& graph, std::span<const ValueId> ids) {
  std::vector<TensorInfo> infos;
  for (const ValueId id : ids) infos.push_back(tensor_info(graph.value(id)));
  return infos;
}

std::map<std::string, size_t> node_counts(const Graph& graph) {
  std::map<std::string, size_t> counts;
  for (const Node& node : graph.nodes) ++counts[node.op];
  return counts;
}

WeightSize weight_size(const Graph& graph) {
  WeightSize size;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const Tensor* constant = graph.constant(static_cast<ValueId>(i));
    if (constant == nullptr) continue;
    size.values += constant->numel();
    size.bytes += constant->byte_size();
  }
  return size;
}

std::string output_name(const Graph& graph, const std::string& node, size_t output) {
  for (const Node& candidate : graph.nodes)
    if (candidate.name == node && output < candidate.outputs.size() && candidate.outputs[output] != kNoValue)
      return graph.value(candidate.outputs[output]).name;
  return "";
}

int64_t count_non_finite(const Tensor& tensor) {
  if (tensor.empty()) return 0;
  switch (tensor.dtype()) {
    case DType::kF32:
      return count_exponents<uint32_t>(tensor, 0x7f800000);
    case DType::kF64:
      return count_exponents<uint64_t>(tensor, 0x7ff0000000000000);
    case DType::kF16:
      return count_exponents<uint16_t>(tensor, 0x7c00);
    case DType::kBF16:
      return count_exponents<uint16_t>(tensor, 0x7f80);
    default:
      return 0;
  }
}

std::string weights_warning(const Graph& graph) {
  size_t tensors = 0;
  int64_t values = 0;
  std::string first;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const Tensor* constant = graph.constant(id);
    const int64_t count = constant == nullptr || constant->numel() <= 1 ? 0 : count_non_finite(*constant);
    if (count == 0) continue;
    if (tensors++ == 0) first = graph.value(id).name;
    values += count;
  }
  if (tensors == 0) return "";
  return fmt::format(
      "{} values in {} of the weight tensors are NaN or infinite, first in '{}'; what the model finds "
      "will be useless",
      values, tensors, first);
}

}  // namespace effdet::ir
