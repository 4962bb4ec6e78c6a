// Fills a temporary folder and puts it in the place of the final one.
#include "whole_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "effdet/error.h"
#include "effdet/output_file.h"
#include "temporary_folder.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// Where the path leads, without a slash at its end.
fs::path resolved(const std::string& path) {
  fs::path whole = fs::weakly_canonical(fs::absolute(path));
  return whole.has_filename() ? whole : whole.parent_path();
}

bool is_mounted(const fs::path& folder) {
  struct stat own {
  }, above{};
  return ::stat(folder.c_str(), &own) == 0 && ::stat(folder.parent_path().c_str(), &above) == 0 &&
         (own.st_dev != above.st_dev || own.st_ino == above.st_ino);
}

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
  return text;
}

void move_entries(const fs::path& from, const fs::path& to) {
  std::vector<fs::path> folders, files;
  for (const auto& entry : fs::directory_iterator(from))
    (entry.is_directory() ? folders : files).push_back(entry.path().filename());
  std::ranges::sort(files, std::greater<>());
  folders.insert(folders.end(), files.begin(), files.end());
  for (const fs::path& name : folders) {
    if (fs::is_directory(to / name)) fs::remove_all(to / name);
    fs::rename(from / name, to / name);
  }
}

}  // namespace

WholeFolder::WholeFolder(const std::string& path) try : path_(path), target_(resolved(path)) {
  if (!fs::exists(target_)) {
    make_output_folder(target_.parent_path());
    return;
  }
  if (!fs::is_directory(target_)) throw Error(ErrorCode::kIo, fmt::format("{}: it is no folder", path));
  in_place_ = is_mounted(target_) || fs::equivalent(target_, fs::current_path()) ||
              ::access(target_.parent_path().c_str(), W_OK) != 0;
  if (in_place_) make_output_folder(target_);
} catch (const fs::filesystem_error& error) {
  throw Error(ErrorCode::kIo, fmt::format("{}: {}", path, error.code().message()));
}

void WholeFolder::write(const std::function<void(const fs::path&)>& fill) const {
  TemporaryFolder folder(in_place_ ? target_ : target_.parent_path());
  try {
    fill(folder.path());
    in_place_ ? move_entries(folder.path(), target_) : folder.keep_as(target_);
  } catch (const Error& error) {
    throw Error(error.code(), replaced(error.what(), folder.path().string(), path_));
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kIo, fmt::format("{}: {}", path_, error.code().message()));
  }
}

}  // namespace effdet::cli
