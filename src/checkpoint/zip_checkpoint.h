// Checkpoints of torch >= 1.6: a zip archive with a pickle, and a record for each storage.
#pragma once

#include "base/file.h"
#include "checkpoint/budget.h"
#include "checkpoint/checkpoint.h"

namespace effdet::checkpoint {

/// read_checkpoint for a file that begins like a zip archive.
Checkpoint read_zip_checkpoint(MappedFile file, const ReadOptions& options, Budget& budget);

}  // namespace effdet::checkpoint
