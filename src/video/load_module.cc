// Looks for libeffdet_video.so beside the library or program that this code is in, and then where the system has it.
#include "video/load_module.h"

#include <string>

#include "base/error.h"
#include "base/shared_library.h"

namespace effdet::video {
namespace {

constexpr const char* kFile = "libeffdet_video.so";

const ModuleFunctions* load() {
  std::string reason;
  const auto entry = reinterpret_cast<const ModuleFunctions* (*)()>(
      module_function(reinterpret_cast<const void*>(&load), kFile, kModuleEntry, reason));
  const ModuleFunctions* functions = entry != nullptr ? entry() : nullptr;
  if (functions != nullptr && functions->version == kModuleVersion) return functions;
  if (functions != nullptr) reason = "it is of another version of this library";
  fail(ErrorCode::kUnsupported,
       "videos need {} and FFmpeg's libraries (Debian: libavformat59, libavcodec59, libswscale6; to build it "
       "libavformat-dev, libavcodec-dev, libswscale-dev): {}",
       kFile, reason);
}

}  // namespace

const ModuleFunctions& module() {
  static const ModuleFunctions* const loaded = load();
  return *loaded;
}

}  // namespace effdet::video
