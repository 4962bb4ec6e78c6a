// Reads the zip archives that checkpoints are, straight from the mapped file.
//
// Written here rather than with libzip for two reasons. A stored record must be used in place (a checkpoint has up to
// 300 MB), and libzip does not tell where a record's data begins, so the local headers would have to be parsed here
// anyway; and two parsers of one file may disagree about it, which is how hostile archives get past checks. zlib does
// the inflating and the checksums.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "checkpoint/budget.h"

namespace effdet::checkpoint {

/// One record. Offsets count from the start of the file.
struct ZipEntry {
  std::string_view name;  ///< in the mapped file
  uint64_t header_offset = 0;
  uint64_t data_offset = 0;
  uint64_t compressed_size = 0;
  uint64_t size = 0;
  uint32_t crc = 0;
  bool deflated = false;
};

/// A zip archive that has passed all structural checks: one end-of-central-directory record at the very end, the
/// directory directly before it, local headers that agree with the directory, no overlap, no repeated or unsafe name,
/// no encryption, methods stored and deflate only. ZIP64 is read. Throws Error (kBadInput, kUnsupported).
class ZipArchive {
 public:
  /// budget must outlive the archive.
  ZipArchive(MappedFile file, Budget& budget);

  const std::string& path() const { return file_.path(); }
  uint64_t file_size() const { return file_.size(); }
  /// Sorted by name.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// nullptr where there is none of that name.
  const ZipEntry* find(std::string_view name) const;

  /// Whether any record has a CRC-32: torch.save writes zeros for all of them where checksums are switched off.
  bool has_checksums() const { return has_checksums_; }
  /// The record's bytes (entry.size of them), which keep the file mapped; a copy only where it is deflated. Checks the
  /// CRC-32 where the archive has them. Throws Error(kBadInput).
  std::shared_ptr<const std::byte> read(const ZipEntry& entry) const;

 private:
  struct Directory {
    uint64_t offset, size, count;
  };

  const std::byte* at(uint64_t offset) const { return file_.bytes().data() + offset; }
  Directory find_directory() const;
  Directory read_zip64_directory(uint64_t locator, const Directory& narrow) const;
  void read_entries(const Directory& directory);
  ZipEntry read_central(uint64_t& offset, uint64_t end) const;
  void read_local(ZipEntry& entry, uint16_t flags, uint64_t directory_offset) const;
  void check_layout() const;
  std::shared_ptr<const std::byte> inflate_entry(const ZipEntry& entry) const;

  MappedFile file_;
  Budget& budget_;
  std::vector<ZipEntry> entries_;
  bool has_checksums_ = false;
};

}  // namespace effdet::checkpoint
