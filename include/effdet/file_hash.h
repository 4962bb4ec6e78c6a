// Hashes by which files are told apart.
#pragma once

#include <filesystem>
#include <string>

#include "effdet/export.h"

namespace effdet {

/// SHA-256 of a regular file, in lower-case hexadecimal, as sha256sum prints it. Throws Error(kIo), and
/// Error(kUnsupported) where libcrypto is not installed.
EFFDET_API std::string file_sha256(const std::filesystem::path& path);

}  // namespace effdet
