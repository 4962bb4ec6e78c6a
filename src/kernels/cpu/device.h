// The processor that this code runs on, as a device.
#pragma once

#include "kernels/device.h"

namespace effdet::kernels::cpu {

const Device& device();

/// Its implementations, best first within an operator, the reference last (list.cc).
std::span<const Implementation> implementations();

}  // namespace effdet::kernels::cpu
