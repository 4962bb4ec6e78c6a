// Lists files of folders by extension, hidden ones left out.
#include "input_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {

namespace fs = std::filesystem;

namespace {

/// Sorted. Throws Error(kIo).
std::vector<fs::path> everything_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    entries.push_back(entry->path());
  if (error)
    throw Error(ErrorCode::kIo, fmt::format("{}: cannot read the folder: {}", folder.string(), error.message()));
  std::ranges::sort(entries);
  return entries;
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string extension_of(const fs::path& path) { return lower_case(path.extension().string()); }

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries = everything_in(folder);
  std::erase_if(entries, is_hidden);
  return entries;
}

std::vector<fs::path> files_of(const fs::path& folder, const std::function<bool(const fs::path&)>& takes) {
  std::vector<fs::path> files = everything_in(folder);
  std::erase_if(files, [&](const fs::path& path) { return !takes(path) || is_folder(path); });
  const auto hidden = std::ranges::stable_partition(files, std::not_fn(is_hidden));
  if (!hidden.empty())
    warn(fmt::format("{}: {} hidden file{} left out", hidden.front().string(), hidden.size(),
                     hidden.size() == 1 ? "" : "s"));
  files.erase(hidden.begin(), hidden.end());
  return files;
}

}  // namespace effdet::cli
