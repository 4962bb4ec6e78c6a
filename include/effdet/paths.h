// What lies at a path. What cannot be looked at is taken for absent: whoever opens it says why.
#pragma once

#include <filesystem>
#include <system_error>

namespace effdet {

/// Whether a regular file is there, links followed.
inline bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

/// Whether a folder is there, links followed.
inline bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace effdet
