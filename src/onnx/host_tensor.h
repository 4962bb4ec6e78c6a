// Between the public HostTensor and the library's Tensor.
#pragma once

#include <string>

#include "base/tensor.h"
#include "effdet/host_tensor.h"

namespace effdet::onnx {

/// Copy the bytes. to_tensor throws Error(kUsage) where they contradict type and shape, or the type is unknown.
Tensor to_tensor(const HostTensor& tensor);
HostTensor from_tensor(std::string name, const Tensor& tensor);

}  // namespace effdet::onnx
