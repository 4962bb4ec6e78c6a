// Tensors between the public API and the library.
#pragma once

#include "base/tensor.h"
#include "effdet/executor.h"

namespace effdet::api {

/// Copies. Throws Error(kUsage) where bytes and shape contradict each other or the type is unknown.
Tensor to_tensor(const HostTensor& tensor);
HostTensor from_tensor(std::string name, const Tensor& tensor);

}  // namespace effdet::api
