// The largest difference of two tensors relative to the larger, in blocks.
#include "passes/tensor_difference.h"

#include <algorithm>
#include <cmath>

namespace effdet::passes {
namespace {

/// Elements [begin, begin + count) as a list of double; as a view first, so that a large output has no second copy.
Tensor part_of(const Tensor& tensor, int64_t begin, int64_t count) {
  const std::byte* bytes = tensor.bytes().data() + static_cast<size_t>(begin) * dtype_size(tensor.dtype());
  return Tensor(tensor.dtype(), {count}, {std::shared_ptr<const std::byte>(), bytes}).to(DType::kF64);
}

}  // namespace

double relative_difference(const Tensor& a, const Tensor& b) {
  constexpr int64_t kBlock = 1 << 14;
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return kDifferent;
  double magnitude = 0, difference = 0;
  for (int64_t begin = 0; begin < a.numel(); begin += kBlock) {
    const int64_t count = std::min(kBlock, a.numel() - begin);
    const Tensor x = part_of(a, begin, count), y = part_of(b, begin, count);
    for (int64_t i = 0; i < count; ++i) {
      const double left = x.data<double>()[i], right = y.data<double>()[i];
      if (left == right || (std::isnan(left) && std::isnan(right))) {
        if (std::isfinite(left)) magnitude = std::max(magnitude, std::abs(left));
        continue;
      }
      if (!std::isfinite(left) || !std::isfinite(right)) return kDifferent;
      magnitude = std::max(magnitude, std::abs(left));
      difference = std::max(difference, std::abs(left - right));
    }
  }
  return difference == 0 ? 0 : magnitude == 0 ? kDifferent : difference / magnitude;
}

double accepted_difference(DType dtype, double tolerance) {
  if (dtype == DType::kF16) return std::max(tolerance, 1e-2);
  return dtype == DType::kBF16 ? std::max(tolerance, 4e-2) : tolerance;
}

}  // namespace effdet::passes
