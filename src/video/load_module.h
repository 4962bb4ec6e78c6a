// The module for videos, which is loaded when it is first needed.
#pragma once

#include "video/video_module.h"

namespace effdet::video {

/// Throws Error(kUnsupported) that says what to install.
const ModuleFunctions& module();

}  // namespace effdet::video
