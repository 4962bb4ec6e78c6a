// What ops::Requantizer computes, as vectors read it.
#pragma once

#include "kernels/cpu/micro_kernels.h"
#include "ops/fused/requantize.h"

namespace effdet::kernels::cpu {

Requantization requantization(const ops::Requantizer& requantizer);

}  // namespace effdet::kernels::cpu
