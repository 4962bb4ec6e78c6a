// Files that the commands themselves write.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace effdet::cli {

/// Makes a folder and its parents. Throws Error(kIo).
void make_folder(const std::filesystem::path& folder);

/// Writes a file that appears whole or not at all, under the temporary name that watch_signals() removes. Throws
/// Error(kIo).
void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_output(const std::filesystem::path& path, std::string_view text);

}  // namespace effdet::cli
