// Detections out of candidates, on a GPU.
#pragma once

#include <memory>

#include "kernels/box_selection.h"

namespace effdet::kernels::cuda {

/// Takes memory when it is first asked. Its queues are CudaQueues.
std::unique_ptr<BoxSelection> make_box_selection(const BoxSelectionShape& shape);

}  // namespace effdet::kernels::cuda
