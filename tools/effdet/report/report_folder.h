// The folder of a report, which appears whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace effdet::cli {

class ReportFolder {
 public:
  /// Looks at the place before the work begins, and makes the folders above it. An empty folder and an older report are
  /// replaced. Throws Error(kUsage) for a folder that has anything else in it, and for the current folder; Error(kIo)
  /// where nothing can be written.
  explicit ReportFolder(const std::string& path);

  /// Names are relative to the folder, with "/". The files are written to a temporary folder beside it, which then gets
  /// its name. Where it cannot be replaced, since it is mounted or what it lies in is protected, files are replaced one
  /// after the other, the page last. Throws Error(kIo).
  void write(const std::vector<std::pair<std::string, std::string>>& files) const;

 private:
  std::filesystem::path target_;
  bool in_place_ = false;
};

}  // namespace effdet::cli
