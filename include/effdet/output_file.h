// Files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "effdet/export.h"

namespace effdet {

/// Writes to a temporary file beside the target, "<name>.<process id>.<number>.tmp", and renames it: a reader sees the
/// old file or the whole new one. Does not wait for the disk, as the results of a run can be made again. Throws
/// Error(kIo).
EFFDET_API void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes);
EFFDET_API void write_output(const std::filesystem::path& path, std::string_view text);

/// Makes a folder and its parents, where they are missing. Throws Error(kIo).
EFFDET_API void make_output_folder(const std::filesystem::path& path);

}  // namespace effdet
