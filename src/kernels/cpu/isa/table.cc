// The table of one instruction set.
#include "kernels/cpu/isa/kernels.h"

#define EFFDET_STRING_(x) #x
#define EFFDET_STRING(x) EFFDET_STRING_(x)

namespace effdet::kernels::cpu::EFFDET_ISA {

extern const MicroKernels kTable = {
    .name = EFFDET_STRING(EFFDET_ISA),
    .gemm = gemm,
    .depthwise = depthwise,
    .max_pool = max_pool,
    .mix = mix,
    .activate = activate,
    .vector_matrix = vector_matrix,
    .scale_panel = scale_panel,
    .transpose = transpose,
    .pixel_row = pixel_row,
};

}  // namespace effdet::kernels::cpu::EFFDET_ISA
