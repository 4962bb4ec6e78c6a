// A folder for what a command needs only while it runs.
#pragma once

#include <filesystem>
#include <string_view>

namespace effdet::cli {

/// A new, empty folder, which goes with the object and all that is in it, also where a signal ends the process. It is
/// locked; the next one removes those whose lock is free, which killed runs left. One at a time in a process.
class TemporaryFolder {
 public:
  /// Among the temporary ones (TMPDIR). Throws Error(kIo).
  TemporaryFolder();
  /// In the folder `among`. Throws Error(kIo).
  explicit TemporaryFolder(const std::filesystem::path& among);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Gives the folder its final name, at once: what is read there is the old one or the new one, whole. A folder that
  /// has the name goes with the object. Both lie in the same folder. Throws Error(kIo).
  void keep_as(const std::filesystem::path& target);

 private:
  void make(const std::filesystem::path& among, const char* advice);

  std::filesystem::path path_;
  int lock_ = -1;
};

/// Whether a name is that of one, of this process or another.
bool is_temporary_folder(std::string_view name);

/// Removes the process's temporary folder, if it has one. Takes no memory and no locks, for the end after a signal.
void remove_temporary_folder();

}  // namespace effdet::cli
