// Looks for libeffdet_video.so beside the library or program that this code is in, and then where the system has it.
#include "video/load_module.h"

#include "base/shared_library.h"

namespace effdet::video {

const ModuleFunctions& module() {
  static const auto& functions = module_table<ModuleFunctions>(
      reinterpret_cast<const void*>(&module), "libeffdet_video.so", kModuleEntry, kModuleVersion,
      "videos need libeffdet_video.so and FFmpeg's libraries (Debian: libavformat59, libavcodec59, libswscale6; to "
      "build it libavformat-dev, libavcodec-dev, libswscale-dev)");
  return functions;
}

}  // namespace effdet::video
