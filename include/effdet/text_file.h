// Reading the small text files that people write: lists of names, configurations.
#pragma once

#include <filesystem>
#include <string>

#include "effdet/export.h"

namespace effdet {

/// The whole of a regular file of at most 1 MiB. Throws Error(kIo) where it cannot be read, or is a device or a FIFO,
/// which may have no end; Error(kBadInput) for a longer one.
EFFDET_API std::string read_text_file(const std::filesystem::path& path);

}  // namespace effdet
