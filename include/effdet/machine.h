// What models can run on: devices, and the rates that this machine reaches.
#pragma once

#include <string>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// Names of the devices that models can be compiled for and run on. The first is the CPU.
EFFDET_API std::vector<std::string> devices();

struct MachineRates {
  double flops = 0;       ///< float32 operations a second of a matrix multiplication on data in the cache
  double bf16_flops = 0;  ///< the same for bfloat16 operands and float32 accumulators
  double int8_ops = 0;    ///< the same for 8-bit codes by int8 weights, and 32-bit accumulators
  double bytes = 0;       ///< bytes a second, read and written, of a copy that is far larger than the caches
};

/// Measures the rates, in about half a second. threads: as for Runner. Throws Error(kOutOfMemory).
EFFDET_API MachineRates measure_machine(int threads = 0);

/// The instruction set that the CPU's kernels use here: "avx512_vnni", "avx2", ... The best that the processor has, or
/// EFFDET_ISA.
EFFDET_API std::string instruction_set();

/// Whether the instruction set in use multiplies bfloat16. Only then are bfloat16 models faster than float32 ones.
EFFDET_API bool multiplies_bfloat16();

}  // namespace effdet
