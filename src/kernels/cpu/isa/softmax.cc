// Softmax along lines, and across lines that lie beside each other.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vec_math.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

/// Lines beside each other: `lanes` of them in a vector.
void softmax_columns(const float* x, float* y, int64_t count, ptrdiff_t stride, int64_t columns) {
  for_vectors(
      columns, [&](int64_t c, int lanes) __attribute__((always_inline)) {
        Vec largest = get(x + c, lanes);
        for (int64_t i = 1; i < count; ++i) largest = vec_max(get(x + i * stride + c, lanes), largest);
        Vec sum{};
        for (int64_t i = 0; i < count; ++i) {
          const Vec power = vec_exp(get(x + i * stride + c, lanes) - largest);
          sum += power;
          put(y + i * stride + c, power, lanes);
        }
        const Vec scale = 1.0f / sum;
        for (int64_t i = 0; i < count; ++i) put(y + i * stride + c, get(y + i * stride + c, lanes) * scale, lanes);
      });
}

void softmax_line(const float* x, float* y, int64_t count) {
  const float largest = fold_line(x, count, Fold::kMax);
  Vec sums{};
  for_vectors(
      count, [&](int64_t i, int lanes) __attribute__((always_inline)) {
        const Vec power = vec_exp(get(x + i, lanes) - largest);
        put(y + i, power, lanes);
        if (lanes == kLanes) {
          sums += power;
        } else {
          for (int k = 0; k < lanes; ++k) sums[k] += power[k];
        }
      });
  float sum = 0;
  for (int k = 0; k < kLanes; ++k) sum += sums[k];
  const Vec scale = splat(1.0f / sum);
  for_vectors(count, [&](int64_t i, int lanes) { put(y + i, get(y + i, lanes) * scale, lanes); });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
