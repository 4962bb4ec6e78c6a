// Ascend devices behind the seam: models that CANN compiled run on a card, or on a library with AscendCL's interface.
#pragma once

#include <string_view>

#include "kernels/device.h"

namespace effdet::kernels::ascend {

/// What targets of these devices begin with: "ascend", "ascend:1", "ascend:0,1,3".
inline constexpr std::string_view kTarget = "ascend";

/// Whether a target is of this kind.
bool is_target(std::string_view target);

/// The cards of a target, which share the sessions among them: the first session runs on the first of them, and so on.
/// It lives as long as the process. Throws Error(kUsage) for numbers that are none; what there is is found out later.
const Device& device(std::string_view target);

}  // namespace effdet::kernels::ascend
