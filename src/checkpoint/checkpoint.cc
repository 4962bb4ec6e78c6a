#include "checkpoint/checkpoint.h"

#include "checkpoint/file_kind.h"
#include "checkpoint/legacy_checkpoint.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/zip_checkpoint.h"

namespace effdet {

Checkpoint read_checkpoint(const std::filesystem::path& path, const ReadOptions& options) {
  MappedFile file(path);
  switch (checkpoint_format(file)) {
    case CheckpointFormat::kZip:
      return read_zip_checkpoint(std::move(file), options);
    case CheckpointFormat::kLegacy:
      return read_legacy_checkpoint(std::move(file), options);
    case CheckpointFormat::kSafetensors:
      break;
  }
  return read_safetensors(std::move(file), options);
}

}  // namespace effdet
