// GPUs behind the seam: programs that were compiled for "cuda" run on one of them.
#pragma once

#include <string_view>

#include "kernels/cuda/api.h"
#include "kernels/device.h"

namespace effdet::kernels::cuda {

/// What programs are compiled for; as a device, the first GPU. "cuda:1" is the second one.
inline constexpr std::string_view kTarget = "cuda";

/// Whether the name of a device is of this kind.
bool is_target(std::string_view name);
/// The name without a GPU's number, as files have it; other names as they are.
std::string_view target_of(std::string_view name);

/// The GPU of such a name. It lives as long as the process. Throws Error(kUsage) for what is no number; what there is
/// is found out when memory or a queue is asked for.
const Device& device(std::string_view name);

/// The GPU of that number under any name, over other functions than the module's, for tests. They are asked for when
/// they are needed.
std::unique_ptr<Device> make_device(std::string name, int number, const Api& (*api)());

}  // namespace effdet::kernels::cuda
