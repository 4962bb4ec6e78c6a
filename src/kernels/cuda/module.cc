// Looks for the module, and for its table of functions.
#include "kernels/cuda/module.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "base/error.h"

namespace effdet::kernels::cuda {
namespace {

constexpr const char* kName = "libeffdet_cuda.so";

/// Where the library, or program, of this function lies; empty where the loader does not know.
std::filesystem::path own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&module_api), &info) == 0 || info.dli_fname == nullptr) return {};
  return std::filesystem::path(info.dli_fname).parent_path();
}

/// Beside this code, in the folder of libraries beside that of programs, and where the loader looks.
void* open_module(std::string& reason) {
  const std::filesystem::path own = own_folder();
  for (const std::filesystem::path& place : {own / kName, own / "../lib" / kName, std::filesystem::path(kName)}) {
    // Never the current folder: a name without one is the loader's own affair.
    if (own.empty() && place.is_relative() && place.has_parent_path()) continue;
    std::error_code ignored;
    if (place.has_parent_path() && !std::filesystem::exists(place, ignored)) continue;
    if (void* handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    reason = ::dlerror();
    if (place.has_parent_path()) return nullptr;  // it is there: what it lacks is worth more than where else it is not
  }
  return nullptr;
}

const Api& find_api() {
  std::string reason;
  void* handle = open_module(reason);
  if (handle == nullptr)
    fail(ErrorCode::kUnsupported,
         "device cuda: no {} that loads ({}): this build of effdet has none, or CUDA's libraries are missing", kName,
         reason);
  const auto function = reinterpret_cast<const Api* (*)()>(::dlsym(handle, kApiFunction));
  const Api* api = function != nullptr ? function() : nullptr;
  if (api == nullptr || api->version != kApiVersion)
    fail(ErrorCode::kUnsupported, "device cuda: {} is of another build of effdet", kName);
  return *api;
}

}  // namespace

const Api& module_api() {
  static const Api& api = find_api();
  return api;
}

}  // namespace effdet::kernels::cuda
