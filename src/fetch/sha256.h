// SHA-256 of whole files, for downloads whose names have it.
#pragma once

#include <filesystem>
#include <string>

namespace effdet::fetch {

/// In lower-case hexadecimal. Throws Error(kIo).
std::string sha256_of(const std::filesystem::path& path);

}  // namespace effdet::fetch
