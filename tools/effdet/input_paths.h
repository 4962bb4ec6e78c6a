// Files and folders that commands read. What cannot be looked at is taken for absent: whoever opens it says why.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "effdet/paths.h"

namespace effdet::cli {

bool is_there(const std::filesystem::path& path);
/// The file's extension in lower case.
std::string extension_of(const std::filesystem::path& path);

/// What is in a folder, sorted, without hidden files (macOS leaves "._dog.jpg" beside "dog.jpg"). Throws Error(kIo).
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);
/// The files of these that `takes` accepts; a hidden one that it would have accepted is worth a warning.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                            const std::function<bool(const std::filesystem::path&)>& takes);

}  // namespace effdet::cli
