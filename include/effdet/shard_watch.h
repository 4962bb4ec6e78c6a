// Following a shard that another process runs, by the file that it keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "effdet/export.h"

namespace effdet {

/// What a shard's file shows of its run.
struct ShardState {
  bool is_there = false;  ///< whether the file is there, and is one of a shard
  bool is_run = false;  ///< whether a process has it open to write, on this machine or by a network file system's locks
  size_t images = 0;    ///< of the shard; 0 until the file is there
  size_t done = 0;      ///< images that are finished or could not be used
  /// Rises when the file was written or touched since the last look.
  uint64_t changes = 0;

  bool is_complete() const { return is_there && done == images; }
};

/// Looks at a shard's file from time to time, and each time reads what is new. Not thread-safe.
class ShardWatch {
 public:
  EFFDET_API explicit ShardWatch(std::filesystem::path file);
  EFFDET_API ~ShardWatch();
  EFFDET_API ShardWatch(ShardWatch&&) noexcept;

  /// A file that cannot be read counts as absent: the process that runs the shard says what is wrong with it. Where
  /// is_run is false, what else the state says is not older.
  EFFDET_API ShardState look();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
