// A file that a download grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace effdet {

/// NAME.part, locked so that two processes do not write it at once. Functions throw Error(kIo) unless they say
/// otherwise.
class PartFile {
 public:
  /// Opens or makes the file, and waits for another process that writes it. What an earlier download left is kept or
  /// cut.
  PartFile(const std::filesystem::path& path, bool keep);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  uint64_t size() const { return size_; }

  /// Cuts the file to nothing.
  void restart();

  /// False where the disk refuses; errno says why.
  bool append(const char* bytes, size_t count);

  /// Gives the finished file its name.
  void become(const std::filesystem::path& target);

  /// Throws Error(kIo) with the file's name and errno's reason.
  [[noreturn]] void fail_io(std::string_view what) const;

 private:
  bool open_locked();

  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace effdet
