// safetensors files: the length of a JSON header, the header, and the tensors' bytes.
#pragma once

#include "base/file.h"
#include "checkpoint/budget.h"
#include "checkpoint/checkpoint.h"

namespace effdet::checkpoint {

/// read_checkpoint for a safetensors file. The header names tensors by type, shape and place; their places must cover
/// the rest of the file without overlap or hole, as the format wants. Tensors refer to the mapped file where they are
/// aligned.
Checkpoint read_safetensors(MappedFile file, const ReadOptions& options, Budget& budget);

}  // namespace effdet::checkpoint
