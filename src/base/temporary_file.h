// Files that are not finished yet: names that no other run has, and the removal of what dead runs left.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace effdet::inline base {

/// "<name>.effdet-<boot>-<random>.tmp" beside a target. The random part keeps runs apart whose process ids are the same
/// (each container counts its own), and the part that is of this boot of the machine tells whether locks can be asked.
struct TemporaryFile {
  std::string path;
  int descriptor = -1;  ///< for reading and writing, locked as long as it is open; -1: refused, errno says why
};

/// Makes the file beside `target`. The first one in a folder removes from it what dead runs of this user left.
TemporaryFile make_temporary_file(const std::string& target, mode_t mode);

/// Whether a path ends as those of temporary files do. Takes no memory.
bool is_temporary_name(std::string_view path);

}  // namespace effdet::inline base
