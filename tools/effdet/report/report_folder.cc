// Checks the place of a report and writes it.
#include "report/report_folder.h"

#include <fmt/format.h>

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
    if (is_unfinished_output(name) || is_temporary_folder(name)) continue;
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

}  // namespace

ReportFolder::ReportFolder(const std::string& path) try : folder_(path) {
  if (!fs::exists(folder_.target())) return;
  if (const std::string name = foreign_entry(folder_.target()); !name.empty())
    throw Error(
        ErrorCode::kUsage,
        fmt::format("--report: {} has '{}', which is of no report and would be lost; give another folder", path, name));
  if (fs::equivalent(folder_.target(), fs::current_path()))
    throw Error(ErrorCode::kUsage, fmt::format("--report: {} is the current folder; give one in it", path));
} catch (const fs::filesystem_error& error) {
  throw Error(ErrorCode::kIo, fmt::format("{}: {}", path, error.code().message()));
}

void ReportFolder::write(const std::vector<std::pair<std::string, std::string>>& files) const {
  folder_.write([&](const fs::path& folder) {
    for (const auto& [name, text] : files) {
      const fs::path path = folder / name;
      if (path.parent_path() != folder) make_output_folder(path.parent_path());
      write_output(path, text);
    }
  });
}

}  // namespace effdet::cli
