// Looks for libeffdet_video.so beside the library or program that this code is in, and then where the system has it.
#include "video/load_module.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "base/error.h"

namespace effdet::video {
namespace {

constexpr const char* kFile = "libeffdet_video.so";

const ModuleFunctions* load() {
  Dl_info self{};
  ::dladdr(reinterpret_cast<const void*>(&load), &self);
  const std::filesystem::path beside =
      std::filesystem::path(self.dli_fname != nullptr ? self.dli_fname : "").parent_path();
  std::string reason;
  for (const std::filesystem::path& file :
       {beside / kFile, beside / ".." / "lib" / kFile, std::filesystem::path(kFile)}) {
    void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const std::string error = ::dlerror();
      if (reason.empty() || std::filesystem::exists(file)) reason = error;
      continue;
    }
    const auto entry = reinterpret_cast<const ModuleFunctions* (*)()>(::dlsym(handle, kModuleEntry));
    const ModuleFunctions* functions = entry != nullptr ? entry() : nullptr;
    if (functions != nullptr && functions->version == kModuleVersion) return functions;
    reason = file.string() + " is of another version of this library";
  }
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
