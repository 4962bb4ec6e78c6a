// What a file has besides its content: who owns it and who may do what with it.
#pragma once

#include <sys/stat.h>

#include <string>

namespace effdet::inline base {

/// Gives the file at `descriptor` the owner, group, extended attributes (access control lists among them) and mode of
/// the one at `path`, whose stat is `info`. False where the system refuses one of them. What the kernel attaches to
/// content itself (capabilities, measurements) is left out.
bool copy_attributes(const std::string& path, const struct stat& info, int descriptor);

}  // namespace effdet::inline base
