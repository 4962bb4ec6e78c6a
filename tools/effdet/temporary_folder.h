// A folder for what a command needs only while it runs.
#pragma once

#include <filesystem>

namespace effdet::cli {

/// A new, empty folder among the temporary ones (TMPDIR), which goes with the object and all that is in it, also where
/// a signal ends the process. It is locked; the next one removes those whose lock is free, which killed runs left. One
/// at a time in a process.
class TemporaryFolder {
 public:
  /// Throws Error(kIo).
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

/// Removes the process's temporary folder, if it has one. Takes no memory and no locks, for the end after a signal.
void remove_temporary_folder();

}  // namespace effdet::cli
