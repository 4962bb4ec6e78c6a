// The folder of a report, which appears whole or not at all.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "whole_folder.h"

namespace effdet::cli {

class ReportFolder {
 public:
  /// Looks at the place before the work begins, and makes the folders above it. An empty folder and an older report are
  /// replaced. Throws Error(kUsage) for a folder that has anything else in it, and for the current folder; Error(kIo)
  /// where nothing can be written.
  explicit ReportFolder(const std::string& path);

  /// Names are relative to the folder, with "/". Throws as WholeFolder::write().
  void write(const std::vector<std::pair<std::string, std::string>>& files) const;

 private:
  WholeFolder folder_;
};

}  // namespace effdet::cli
