// Opens a file as the format that it is: zip, legacy, safetensors or sharded.
#include "checkpoint/checkpoint.h"

#include "base/error.h"
#include "checkpoint/checkpoint_format.h"
#include "checkpoint/legacy_checkpoint.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/sharded.h"
#include "checkpoint/zip_checkpoint.h"

namespace effdet::checkpoint {

Checkpoint read_checkpoint(const std::filesystem::path& path, const ReadOptions& options) {
  MappedFile file(checkpoint_in_folder(path));
  if (checkpoint_format(file) == CheckpointFormat::kShardIndex) return read_sharded(file, options);
  refuse_single_shard(file.path());
  Budget budget(file.path(), file.size());
  return read_checkpoint_file(std::move(file), options, budget);
}

Checkpoint read_checkpoint_file(MappedFile file, const ReadOptions& options, Budget& budget) {
  switch (checkpoint_format(file)) {
    case CheckpointFormat::kZip:
      return read_zip_checkpoint(std::move(file), options, budget);
    case CheckpointFormat::kLegacy:
      return read_legacy_checkpoint(std::move(file), options, budget);
    case CheckpointFormat::kSafetensors:
      return read_safetensors(std::move(file), options, budget);
    case CheckpointFormat::kShardIndex:
      break;
  }
  bad_input("{}: an index of shards where a shard belongs", file.path());
}

}  // namespace effdet::checkpoint
