// A file that a download grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/output_place.h"

namespace effdet::fetch {

/// TARGET.part, which a later run goes on with, or a temporary file, which goes with the object. Locked, so that two
/// processes do not write it at once. Functions throw Error(kIo) unless they say otherwise.
class PartFile {
 public:
  enum class Kind { kKept, kTemporary };

  /// Makes the file, or opens what an earlier download kept, and waits for another process that writes it.
  PartFile(const std::filesystem::path& target, Kind kind);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  bool is_kept() const { return kind_ == Kind::kKept; }

  /// Cuts the file to nothing.
  void restart();

  /// False where the disk refuses; errno says why.
  bool append(const char* bytes, size_t count);

  /// Gives the finished file the target's name. Where there is a file already, its owner and mode stay.
  void become_target();

  /// Throws Error(kIo) with the file's name and errno's reason.
  [[noreturn]] void fail_io(std::string_view what) const;

 private:
  bool open_locked();

  OutputPlace place_;
  Kind kind_;
  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace effdet::fetch
