// SHA-256 of whole files and of bytes: for downloads whose names have it, and to tell which images were used.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace effdet::fetch {

/// In lower-case hexadecimal. Throws Error(kIo).
std::string sha256_of(const std::filesystem::path& path);
std::string sha256_of(std::span<const std::byte> bytes);

}  // namespace effdet::fetch
