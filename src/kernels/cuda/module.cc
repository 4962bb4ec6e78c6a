// Looks for the module, and for its table of functions.
#include "kernels/cuda/module.h"

#include <string>

#include "base/error.h"
#include "base/shared_library.h"

namespace effdet::kernels::cuda {
namespace {

constexpr const char* kName = "libeffdet_cuda.so";

const Api& find_api() {
  std::string reason;
  const auto function = reinterpret_cast<const Api* (*)()>(
      module_function(reinterpret_cast<const void*>(&find_api), kName, kApiFunction, reason));
  if (function == nullptr)
    fail(ErrorCode::kUnsupported,
         "device cuda: no {} that loads ({}): this build of effdet has none, or CUDA's libraries are missing", kName,
         reason);
  const Api* api = function();
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
