// Pictures prepared on a GPU.
#pragma once

#include <memory>

#include "kernels/picture_input.h"

namespace effdet::kernels::cuda {

/// Takes memory when it is first asked. Its queues are CudaQueues.
std::unique_ptr<PictureInput> make_picture_input();

}  // namespace effdet::kernels::cuda
