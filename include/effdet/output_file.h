// Files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "effdet/export.h"

namespace effdet {

/// Writes to a temporary file beside the target and renames it: a reader sees the old file or the whole new one.
/// Symbolic links are followed, owner and mode of a file that is replaced are kept, and what cannot be replaced
/// (/dev/stdout, a FIFO, a mounted file) is written to in its place. Does not wait for the disk, as the results of a
/// run can be made again. Throws Error(kIo).
EFFDET_API void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes);
EFFDET_API void write_output(const std::filesystem::path& path, std::string_view text);

/// Throws Error(kIo) where write_output() of this path, or another function that writes there, would be refused: for
/// use before long work. Changes nothing, and does not wait for the reader of a FIFO.
EFFDET_API void check_output(const std::filesystem::path& path);

/// Whether a file has a name as unfinished output has it, "<name>.effdet-<8 hex digits>-<16 hex digits>.tmp". Those of
/// a run that was killed are removed by the next one that writes into the folder. Takes no memory.
EFFDET_API bool is_unfinished_output(std::string_view path);

/// Makes a folder and its parents, where they are missing. Throws Error(kIo), also where files cannot be made in
/// it.
EFFDET_API void make_output_folder(const std::filesystem::path& path);

}  // namespace effdet
