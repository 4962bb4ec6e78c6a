// Where this user's files are kept.
#pragma once

#include <filesystem>

namespace effdet::inline base {

/// $XDG_CACHE_HOME/effdet, or $HOME/.cache/effdet; "" where neither is set. Relative paths are ignored, as the XDG
/// specification has it.
std::filesystem::path user_cache_folder();

}  // namespace effdet::inline base
