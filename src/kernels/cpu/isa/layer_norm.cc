// Lines of values with mean 0 and variance 1, or with a mean square of 1.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

void normalize_line(const float* x, float* y, int64_t count, const float* scale, const float* bias, float epsilon,
                    bool centred) {
  const auto size = static_cast<float>(count);
  const float mean = centred ? fold_line(x, count, Fold::kSum) / size : 0;
  for_vectors(count, [&](int64_t i, int lanes) { put(y + i, get(x + i, lanes) - mean, lanes); });
  const float factor = 1.0f / __builtin_sqrtf(fold_line(y, count, Fold::kSquares) / size + epsilon);
  for_vectors(
      count, [&](int64_t i, int lanes) __attribute__((always_inline)) {
        Vec result = get(y + i, lanes) * factor * get(scale + i, lanes);
        if (bias != nullptr) result += get(bias + i, lanes);
        put(y + i, result, lanes);
      });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
