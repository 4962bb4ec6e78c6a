// Tells formats of checkpoints apart, and recognises what is none, so that the message can name it.
#pragma once

#include "base/file.h"

namespace effdet::checkpoint {

enum class CheckpointFormat : uint8_t { kZip, kLegacy, kSafetensors, kShardIndex };

/// By the first bytes; only where these are no other format's does the name's extension say safetensors. Throws
/// Error(kUnsupported) that names the format (bare pickle, tar, ...), or Error(kBadInput) where it is none that we
/// know.
CheckpointFormat checkpoint_format(const MappedFile& file);

}  // namespace effdet::checkpoint
