// Where an output goes: a path's links followed, and what is there already.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/descriptor.h"

namespace effdet::inline base {

struct OutputPlace {
  std::string shown;        ///< the path as it was given, and where it leads, for messages
  std::string target;       ///< the path behind all symbolic links; it may not exist
  bool exists = false;      ///< whether something is at the target
  bool is_regular = false;  ///< whether that is a regular file, which can be replaced
  struct stat info {};      ///< of what exists
  int own_descriptor = -1;  ///< number of a descriptor of this process, for /dev/stdout, /dev/fd/N and their like

  /// A descriptor to write to what exists; waits where that is a FIFO without a reader. -1 with errno where refused.
  int open() const;
};

/// Throws Error(kIo) for what cannot be written: folders, sockets, block devices, loops of links, and files that their
/// permissions protect. Error(kUsage) for an empty path.
OutputPlace find_output_place(const std::string& path);

}  // namespace effdet::inline base
