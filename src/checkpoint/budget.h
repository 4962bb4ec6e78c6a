// How much memory one file may make us use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {

/// Counts the bytes that reading a file allocates beyond its mapping. The limit, the file's size + 208 MiB, leaves room
/// for every real checkpoint (even 1e6 tensors on one storage), while a small file that describes something vast (a
/// deflate bomb, expanded strides, millions of empty lists) is refused before the memory is taken.
class Budget {
 public:
  Budget(std::string path, uint64_t file_size) : path_(std::move(path)), left_(file_size + (uint64_t{208} << 20)) {}

  /// Goes on with a further file of the same checkpoint.
  void add_file(std::string path, uint64_t file_size) {
    path_ = std::move(path);
    left_ += file_size;
  }

  /// Where the reader is now, for the message: a record and an offset in it or in the file, as its other messages have.
  void enter(std::string_view record, uint64_t offset) {
    record_ = record;
    offset_ = offset;
  }
  /// Throws Error(kBadInput) where that is more than what is left.
  void charge(uint64_t bytes) {
    if (bytes > left_) {
      bad_input(
          "{}: {} at byte {}: needs far more memory than the file's size explains; re-save the weights alone, "
          "contiguous "
          "and uncompressed, with torch.save(model.state_dict(), path)",
          path_, quote_text(record_), offset_);
    }
    left_ -= bytes;
  }
  void release(uint64_t bytes) { left_ += bytes; }

 private:
  std::string path_;
  uint64_t left_;
  std::string_view record_ = "central directory";
  uint64_t offset_ = 0;
};

}  // namespace effdet::checkpoint
