// Writing files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "effdet/export.h"

namespace effdet {

/// Writes to a temporary file beside the target and renames it, so that readers see the old file or the complete new
/// one. Symbolic links are followed; owner and mode of a replaced file are kept. A file that cannot be replaced
/// (/dev/stdout, a FIFO, a mounted file) is written in place. Does not sync to disk. Throws Error(kIo).
EFFDET_API void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes);
EFFDET_API void write_output(const std::filesystem::path& path, std::string_view text);

/// Throws Error(kIo) if write_output() to this path would fail: call it before long work. Changes nothing, and does not
/// wait for the reader of a FIFO.
EFFDET_API void check_output(const std::filesystem::path& path);

/// Whether a path has the form of a temporary file of write_output(), "<name>.effdet-<8 hex digits>-<16 hex
/// digits>.tmp". A process that was killed may leave such files; the next one that writes into the folder removes them.
/// Allocates nothing.
EFFDET_API bool is_unfinished_output(std::string_view path);

/// Makes a folder and its parents if they do not exist. Throws Error(kIo), also if files cannot be made in it.
EFFDET_API void make_output_folder(const std::filesystem::path& path);

}  // namespace effdet
