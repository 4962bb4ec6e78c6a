#include "api/weights_warning.h"

#include <cmath>

#include "base/error.h"

namespace effdet::api {
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

int64_t count_non_finite(const Tensor& tensor) {
  if (tensor.empty() || tensor.numel() <= 1) return 0;
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

}  // namespace

std::string weights_warning(const ir::Graph& graph) {
  size_t tensors = 0;
  int64_t values = 0;
  std::string first;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const Tensor* constant = graph.constant(id);
    const int64_t count = constant == nullptr ? 0 : count_non_finite(*constant);
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

}  // namespace effdet::api
