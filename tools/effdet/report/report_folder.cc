// Checks the place of a report and writes it.
#include "report/report_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>

#include "effdet/error.h"
#include "effdet/output_file.h"
#include "report/html.h"
#include "temporary_folder.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPage = "index.html";

bool is_page(const fs::path& path) {
  std::array<char, 1024> beginning{};
  std::ifstream file(path, std::ios::binary);
  file.read(beginning.data(), beginning.size());
  return std::string_view(beginning.data(), static_cast<size_t>(file.gcount())).find(kHtmlMaker) !=
         std::string_view::npos;
}

/// What of a folder belongs to no report: the first name, or nothing. It is the page that shows whose the others are.
std::string foreign_entry(const fs::path& folder) {
  const bool is_report = is_page(folder / kPage);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (is_unfinished_output(name)) continue;
    if (!is_report) return name;
    if (name == "plots" && entry.is_directory()) {
      for (const auto& plot : fs::directory_iterator(entry.path()))
        if (plot.path().extension() != ".svg" && plot.path().extension() != ".png")
          return "plots/" + plot.path().filename().string();
    } else if (name != "report.json" && name != kPage) {
      return name;
    }
  }
  return {};
}

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

}  // namespace

ReportFolder::ReportFolder(const std::string& path) try : target_(resolved(path)) {
  if (!fs::exists(target_)) {
    make_output_folder(target_.parent_path());
    return;
  }
  if (!fs::is_directory(target_)) throw Error(ErrorCode::kIo, fmt::format("{}: it is no folder", path));
  if (const std::string name = foreign_entry(target_); !name.empty())
    throw Error(
        ErrorCode::kUsage,
        fmt::format("--report: {} has '{}', which is of no report and would be lost; give another folder", path, name));
  if (fs::equivalent(target_, fs::current_path()))
    throw Error(ErrorCode::kUsage, fmt::format("--report: {} is the current folder; give one in it", path));
  in_place_ = is_mounted(target_) || ::access(target_.parent_path().c_str(), W_OK) != 0;
  if (in_place_) make_output_folder(target_);
} catch (const fs::filesystem_error& error) {
  throw Error(ErrorCode::kIo, fmt::format("{}: {}", path, error.code().message()));
}

void ReportFolder::write(const std::vector<std::pair<std::string, std::string>>& files) const {
  const auto write_to = [&](const fs::path& folder) {
    for (const bool is_last : {false, true})
      for (const auto& [name, text] : files) {
        if ((name == kPage) != is_last) continue;
        const fs::path path = folder / name;
        if (path.parent_path() != folder) make_output_folder(path.parent_path());
        write_output(path, text);
      }
  };
  if (in_place_) return write_to(target_);
  TemporaryFolder folder(target_.parent_path());
  write_to(folder.path());
  folder.keep_as(target_);
}

}  // namespace effdet::cli
