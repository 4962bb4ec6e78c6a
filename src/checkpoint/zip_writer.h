// Writes stored zip archives whose data is aligned for mapping.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace effdet::checkpoint {

/// Appends records to a file. As PyTorch does, pads each local header so that data starts at a multiple of 64 bytes;
/// sizes and checksums are known in advance, and dates are fixed, so that the same records give the same bytes.
class ZipWriter {
 public:
  /// file must outlive the writer.
  explicit ZipWriter(AtomicFile& file) : file_(file) {}

  /// Throws Error(kUnsupported) past 65,534 records or 4 GiB (ZIP64 is not written).
  /// head: what the record begins with, before the data.
  void add(std::string_view name, std::span<const std::byte> data, std::string_view head = {});
  void add(std::string_view name, std::string_view data) { add(name, std::as_bytes(std::span(data))); }
  /// Writes the central directory; the caller commits the file.
  void finish();

 private:
  AtomicFile& file_;
  uint64_t offset_ = 0;
  uint64_t count_ = 0;
  std::string directory_;
};

}  // namespace effdet::checkpoint
