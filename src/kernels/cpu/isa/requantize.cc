// Runs of floats to codes.
#include "kernels/cpu/isa/requantize.h"

#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

void requantize(const float* x, float factor, uint8_t* y, int64_t count, const Requantization& r) {
  constexpr int kAtOnce = 4 * kLanes;
  const Vec factors = splat(factor);
  with_requantization<false>(
      r, [&](const auto& in_registers) __attribute__((always_inline)) {
        for (int64_t i = 0; i < count; i += kAtOnce) {
          const int left = static_cast<int>(count - i < kAtOnce ? count - i : kAtOnce);
          Vec sums[4] = {};
          for (int j = 0; j < 4; ++j)
            if (j * kLanes < left)
              sums[j] = product(get(x + i + j * kLanes, min_of(kLanes, left - j * kLanes)), factors);
          const CodeVec codes = codes_of(in_registers, sums);
          if (left == kAtOnce) {
            store(y + i, codes);
          } else {
            store_part(y + i, codes, left);
          }
        }
      });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
