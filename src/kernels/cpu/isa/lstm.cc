// What an LSTM does with the sums of its gates.
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vec_math.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
void lstm_cell(const float* gates, float* cell, float* hidden, int units) {
  for_vectors(
      units, [&](int64_t i, int lanes) __attribute__((always_inline)) {
        const Vec in = vec_sigmoid(load(gates + i)), out = vec_sigmoid(load(gates + kPanel + i));
        const Vec forget = vec_sigmoid(load(gates + 2 * kPanel + i)), next = vec_tanh(load(gates + 3 * kPanel + i));
        const Vec state = forget * get(cell + i, lanes) + in * next;
        put(cell + i, state, lanes);
        put(hidden + i, out * vec_tanh(state), lanes);
      });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
