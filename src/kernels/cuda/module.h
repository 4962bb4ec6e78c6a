// The module libeffdet_cuda.so, which is loaded when a GPU is first asked for.
#pragma once

#include "kernels/cuda/api.h"

namespace effdet::kernels::cuda {

/// The functions of the module, which stays loaded. It lies beside the library or program that this code is in, or in a
/// folder of the loader's. Throws Error(kUnsupported) where there is none, or none of this build.
const Api& module_api();

}  // namespace effdet::kernels::cuda
