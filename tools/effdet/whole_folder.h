// A folder of results, which appears whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace effdet::cli {

class WholeFolder {
 public:
  /// Looks at the place before the work begins, and makes the folders above it. Throws Error(kIo) where nothing can be
  /// written, and where a file has the name.
  explicit WholeFolder(const std::string& path);

  /// Where the path leads. The folder need not be there yet.
  const std::filesystem::path& target() const { return target_; }

  /// Lets fill write into a temporary folder beside it, which then gets its name; what was there before goes. Where it
  /// cannot be replaced, since it is mounted, the current folder, or what it lies in is protected, the temporary one is
  /// in it, and what is in that takes its place by name: folders, then files, the first name last. Errors name the
  /// folder as it was given. Throws Error(kIo), and what fill throws: then all is as before.
  void write(const std::function<void(const std::filesystem::path& folder)>& fill) const;

 private:
  std::string path_;
  std::filesystem::path target_;
  bool in_place_ = false;
};

}  // namespace effdet::cli
