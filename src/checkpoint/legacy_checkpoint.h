// Checkpoints of torch < 1.6 (and of _use_new_zipfile_serialization=False): five pickles, then the storages' bytes.
#pragma once

#include "base/file.h"
#include "checkpoint/budget.h"
#include "checkpoint/checkpoint.h"

namespace effdet::checkpoint {

/// read_checkpoint for a file that begins with the legacy format's magic number. The pickles go through the same
/// interpreter as those of zip checkpoints.
Checkpoint read_legacy_checkpoint(MappedFile file, const ReadOptions& options, Budget& budget);

}  // namespace effdet::checkpoint
