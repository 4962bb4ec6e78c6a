// Weights in several files: shards, and an index that says which tensor lies in which. Hugging Face's layout.
#pragma once

#include "base/file.h"
#include "checkpoint/budget.h"
#include "checkpoint/checkpoint.h"

namespace effdet::checkpoint {

/// The checkpoint that a folder holds, its index where it is sharded; a path that is no folder as it is. Throws
/// Error(kBadInput) where the folder holds none, or several, and Error(kIo) where it cannot be read.
std::filesystem::path checkpoint_in_folder(const std::filesystem::path& path);

/// Throws Error(kBadInput) for a name such as model-00001-of-00002.safetensors: a part alone is no model.
void refuse_single_shard(const std::string& path);

/// read_checkpoint for an index: {"metadata": {"total_size": N}, "weight_map": {"tensor": "file", ...}}. Shards are
/// files of torch.save or safetensors, beside the index or in folders below it; links are not followed. Index and
/// shards must name the same tensors, each in one place, and total_size, where it is there, must be their bytes.
/// Throws Error(kBadInput) that names tensor and file, and what reading a shard throws.
Checkpoint read_sharded(const MappedFile& index, const ReadOptions& options);

/// One file that is no index, within the budget of the checkpoint that it belongs to.
Checkpoint read_checkpoint_file(MappedFile file, const ReadOptions& options, Budget& budget);

}  // namespace effdet::checkpoint
