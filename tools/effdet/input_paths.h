// Files and folders that commands read. What cannot be looked at is taken for absent: whoever opens it says why.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace effdet::cli {

bool is_there(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);
/// The file's extension in lower case.
std::string extension_of(const std::filesystem::path& path);
/// By the file's extension: .jpg, .jpeg or .png, in any case.
bool is_image(const std::filesystem::path& path);

/// What is in a folder, sorted, without hidden files (macOS leaves "._dog.jpg" beside "dog.jpg"). Throws Error(kIo).
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

}  // namespace effdet::cli
