// Which kind of model file a path leads to.
#pragma once

#include <filesystem>

#include "effdet/export.h"

namespace effdet {

enum class FileKind { kCheckpoint, kOnnx, kCompiled, kUnknown };

/// The kind of a model file, from its first bytes; from its extension if the bytes are inconclusive. A folder counts as
/// a sharded checkpoint. Does not check the rest of the file. Throws Error(kIo).
EFFDET_API FileKind file_kind(const std::filesystem::path& path);

}  // namespace effdet
