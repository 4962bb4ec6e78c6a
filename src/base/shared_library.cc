// Loads a library by name, and says which package has it where it is missing.
#include "base/shared_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/log.h"

namespace effdet::inline base {

SharedLibrary::SharedLibrary(const char* file, const char* package)
    : file_(file), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr)
    fail(ErrorCode::kIo, "{}: cannot be loaded: install the package {} ({})", file, package, ::dlerror());
  log(LogLevel::kDebug, "{} is loaded", file);
}

void* SharedLibrary::symbol(const char* name) const {
  void* address = ::dlsym(handle_, name);
  if (address == nullptr) fail(ErrorCode::kIo, "{}: has no {}: another version is needed", file_, name);
  return address;
}

namespace {

/// Empty where the loader does not know.
std::filesystem::path folder_of_code(const void* self) {
  Dl_info info{};
  if (::dladdr(self, &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

void* open_module(const void* self, const char* file, std::string& reason) {
  const std::filesystem::path own = folder_of_code(self);
  for (const std::filesystem::path& place : {own / file, own / "../lib" / file, std::filesystem::path(file)}) {
    // Never the current folder: a name without one is the loader's own affair.
    if (own.empty() && place.is_relative() && place.has_parent_path()) continue;
    std::error_code ignored;
    if (place.has_parent_path() && !std::filesystem::exists(place, ignored)) continue;
    if (void* handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      log(LogLevel::kDebug, "{} is loaded", place.string());
      return handle;
    }
    reason = ::dlerror();
    log(LogLevel::kDebug, "{}", reason);
    if (place.has_parent_path()) return nullptr;  // it is there: what it lacks is worth more than where else it is not
  }
  return nullptr;
}

}  // namespace

void* module_function(const void* self, const char* file, const char* name, std::string& reason) {
  void* handle = open_module(self, file, reason);
  if (handle == nullptr) return nullptr;
  void* function = ::dlsym(handle, name);
  if (function == nullptr) reason = std::string(file) + " has no " + name;
  return function;
}

}  // namespace effdet::inline base
