#include "input_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension;
}

bool is_image(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (!entry->path().filename().string().starts_with(".")) entries.push_back(entry->path());
  if (error)
    throw Error(ErrorCode::kIo,
                fmt::format("{}: cannot read the folder: {}", one_line(folder.string()), error.message()));
  std::ranges::sort(entries);
  return entries;
}

}  // namespace effdet::cli
