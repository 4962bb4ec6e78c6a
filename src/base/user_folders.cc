// The cache folder, from XDG_CACHE_HOME or HOME.
#include "base/user_folders.h"

#include <cstdlib>

namespace effdet::inline base {

std::filesystem::path user_cache_folder() {
  const auto absolute = [](const char* variable) -> std::filesystem::path {
    const char* value = std::getenv(variable);
    return value != nullptr && value[0] == '/' ? value : "";
  };
  if (const auto cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "effdet";
  if (const auto home = absolute("HOME"); !home.empty()) return home / ".cache" / "effdet";
  return {};
}

}  // namespace effdet::inline base
