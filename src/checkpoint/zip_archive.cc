// Finds the directory of an archive and holds every local header to its entry there.
#include "checkpoint/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/quoted.h"
#include "checkpoint/zip_format.h"

namespace effdet::checkpoint {
namespace {

using namespace zip;

uint16_t u16(const std::byte* p) { return load_le<uint16_t>(p); }
uint32_t u32(const std::byte* p) { return load_le<uint32_t>(p); }
uint64_t u64(const std::byte* p) { return load_le<uint64_t>(p); }

/// The 64-bit values that replace those of `fields` that are kIn64, in order. False where one is missing.
bool widen(std::span<const std::byte> extra, std::initializer_list<uint64_t*> fields) {
  std::span<const std::byte> wide;
  while (extra.size() >= 4) {
    const uint64_t length = u16(extra.data() + 2);
    if (length > extra.size() - 4) return false;
    if (u16(extra.data()) == kZip64Extra) wide = extra.subspan(4, length);
    extra = extra.subspan(4 + length);
  }
  for (uint64_t* field : fields) {
    if (*field != kIn64) continue;
    if (wide.size() < 8) return false;
    *field = u64(wide.data());
    wide = wide.subspan(8);
  }
  return true;
}

bool is_unsafe_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find_first_of(std::string_view("\\\0", 2)) != name.npos) return true;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

ZipArchive::ZipArchive(MappedFile file, Budget& budget) : file_(std::move(file)), budget_(budget) {
  read_entries(find_directory());
  check_layout();
  has_checksums_ = std::ranges::any_of(entries_, [](const ZipEntry& entry) { return entry.crc != 0; });
  std::sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i].name != entries_[i - 1].name) continue;
    bad_input("{}: zip: two records are named {}, at bytes {} and {}", path(), quote_text(entries_[i].name),
              entries_[i - 1].header_offset, entries_[i].header_offset);
  }
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return place != entries_.end() && place->name == name ? &*place : nullptr;
}

ZipArchive::Directory ZipArchive::find_directory() const {
  // Only the last 22 bytes are looked at: a search through an archive comment, which no trainer writes, would let a
  // file have two directories.
  if (file_size() < kEndSize || u32(at(file_size() - kEndSize)) != kEndSignature) {
    bad_input(
        "{}: zip: no end of central directory in the last {} of {} bytes: the file is cut off, or has bytes after "
        "its end; copy it again",
        path(), kEndSize, file_size());
  }
  const uint64_t end = file_size() - kEndSize;
  const std::byte* record = at(end);
  if (u16(record + 4) != 0 || u16(record + 6) != 0 || u16(record + 8) != u16(record + 10) || u16(record + 20) != 0)
    bad_input("{}: zip: the end of central directory at byte {} is of a split or commented archive", path(), end);
  Directory directory{u32(record + 16), u32(record + 12), u16(record + 10)};
  uint64_t directory_end = end;
  if (end >= kLocatorSize + kEnd64Size && u32(at(end - kLocatorSize)) == kLocatorSignature) {
    directory = read_zip64_directory(end - kLocatorSize, directory);
    directory_end = end - kLocatorSize - kEnd64Size;
  }
  if (!fits(directory.offset, directory.size, directory_end) || directory.offset + directory.size != directory_end) {
    bad_input(
        "{}: zip: the central directory (offset {}, {} bytes) does not end where its end record begins, at byte {}",
        path(), directory.offset, directory.size, directory_end);
  }
  if (directory.count > directory.size / kCentralSize)
    bad_input("{}: zip: {} records do not fit in a central directory of {} bytes", path(), directory.count,
              directory.size);
  return directory;
}

ZipArchive::Directory ZipArchive::read_zip64_directory(uint64_t locator, const Directory& narrow) const {
  const uint64_t offset = locator - kEnd64Size;
  const std::byte* record = at(offset);
  const bool placed = u32(at(locator + 4)) == 0 && u64(at(locator + 8)) == offset && u32(at(locator + 16)) == 1;
  if (!placed || u32(record) != kEnd64Signature || u64(record + 4) != kEnd64Size - 12 || u32(record + 16) != 0 ||
      u32(record + 20) != 0 || u64(record + 24) != u64(record + 32)) {
    bad_input("{}: zip: the ZIP64 end record is not directly before its locator at byte {}, or malformed", path(),
              locator);
  }
  const Directory wide{u64(record + 48), u64(record + 40), u64(record + 32)};
  const auto agree = [](uint64_t small, uint64_t large, uint64_t marker) { return small == marker || small == large; };
  if (!agree(narrow.offset, wide.offset, kIn64) || !agree(narrow.size, wide.size, kIn64) ||
      !agree(narrow.count, wide.count, 0xFFFF)) {
    bad_input("{}: zip: the ZIP64 end record at byte {} and the plain one disagree", path(), offset);
  }
  return wide;
}

void ZipArchive::read_entries(const Directory& directory) {
  budget_.enter("central directory", directory.offset);
  budget_.charge(directory.count * sizeof(ZipEntry));
  entries_.reserve(directory.count);
  uint64_t offset = directory.offset;
  const uint64_t end = directory.offset + directory.size;
  for (uint64_t i = 0; i < directory.count; ++i) {
    const uint64_t record = offset;
    ZipEntry entry = read_central(offset, end);
    read_local(entry, u16(at(record + 8)), directory.offset);
    entries_.push_back(entry);
  }
  if (offset != end)
    bad_input("{}: zip: {} bytes too many in the central directory, at byte {}", path(), end - offset, offset);
}

ZipEntry ZipArchive::read_central(uint64_t& offset, uint64_t end) const {
  const std::byte* record = at(offset);
  if (!fits(offset, kCentralSize, end) || u32(record) != kCentralSignature)
    bad_input("{}: zip: no central directory record at byte {}", path(), offset);
  const uint64_t name_size = u16(record + 28), extra_size = u16(record + 30), comment_size = u16(record + 32);
  const uint64_t variable = name_size + extra_size + comment_size;
  if (!fits(offset + kCentralSize, variable, end))
    bad_input("{}: zip: the central directory record at byte {} runs past the directory", path(), offset);

  ZipEntry entry;
  entry.name = {reinterpret_cast<const char*>(record + kCentralSize), name_size};
  if (is_unsafe_name(entry.name))
    bad_input("{}: zip: unsafe record name {} at byte {}", path(), quote_text(entry.name), offset + kCentralSize);
  const uint16_t flags = u16(record + 8), method = u16(record + 10);
  if (flags & ~(kSizesFollow | kUtf8 | kLevelBits)) {
    fail(ErrorCode::kUnsupported, "{}: zip: record {} at byte {} is {} (flags {:#x})", path(), quote_text(entry.name),
         offset, flags & kEncrypted ? "encrypted" : "of an unknown kind", flags);
  }
  if (method != kStored && method != kDeflated) {
    fail(ErrorCode::kUnsupported, "{}: zip: record {} at byte {} has compression method {}; 0 and 8 are read", path(),
         quote_text(entry.name), offset, method);
  }
  entry.deflated = method == kDeflated;
  entry.crc = u32(record + 16);
  entry.compressed_size = u32(record + 20);
  entry.size = u32(record + 24);
  entry.header_offset = u32(record + 42);
  const std::span extra(record + kCentralSize + name_size, extra_size);
  const bool widened = widen(extra, {&entry.size, &entry.compressed_size, &entry.header_offset});
  if (!widened || u16(record + 34) != 0 || (!entry.deflated && entry.size != entry.compressed_size))
    bad_input("{}: zip: contradictory sizes in the central directory record at byte {}", path(), offset);
  offset += kCentralSize + variable;
  return entry;
}

void ZipArchive::read_local(ZipEntry& entry, uint16_t flags, uint64_t directory_offset) const {
  const uint64_t offset = entry.header_offset;
  if (!fits(offset, kLocalSize, directory_offset) || u32(at(offset)) != kLocalSignature)
    bad_input("{}: zip: no local header of record {} at byte {}", path(), quote_text(entry.name), offset);
  const std::byte* record = at(offset);
  const uint64_t name_size = u16(record + 26), extra_size = u16(record + 28);
  if (!fits(offset + kLocalSize, name_size + extra_size, directory_offset))
    bad_input("{}: zip: the local header at byte {} runs into the central directory", path(), offset);
  const std::string_view name(reinterpret_cast<const char*>(record + kLocalSize), name_size);

  uint64_t crc = u32(record + 14), compressed = u32(record + 18), size = u32(record + 22);
  const bool widened = widen({record + kLocalSize + name_size, extra_size}, {&size, &compressed});
  // PyTorch writes the sizes after the data, and zeros here.
  const bool later = (flags & kSizesFollow) && crc == 0 && (compressed == 0 || !widened) && (size == 0 || !widened);
  const bool same = widened && crc == entry.crc && compressed == entry.compressed_size && size == entry.size;
  if (name != entry.name || u16(record + 6) != flags || u16(record + 8) != (entry.deflated ? kDeflated : kStored) ||
      !(later || same)) {
    bad_input("{}: zip: the local header at byte {} and the central directory disagree about record {}", path(), offset,
              quote_text(entry.name));
  }
  entry.data_offset = offset + kLocalSize + name_size + extra_size;
  if (!fits(entry.data_offset, entry.compressed_size, directory_offset)) {
    bad_input("{}: zip: record {} ({} bytes at byte {}) runs into the central directory at byte {}", path(),
              quote_text(entry.name), entry.compressed_size, entry.data_offset, directory_offset);
  }
}

void ZipArchive::check_layout() const {
  budget_.charge(entries_.size() * sizeof(ZipEntry*));
  std::vector<const ZipEntry*> by_offset;
  by_offset.reserve(entries_.size());
  for (const ZipEntry& entry : entries_) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const auto* a, const auto* b) { return a->header_offset < b->header_offset; });
  uint64_t free_from = 0;
  for (const ZipEntry* entry : by_offset) {
    if (entry->header_offset < free_from)
      bad_input("{}: zip: record {} at byte {} overlaps another", path(), quote_text(entry->name),
                entry->header_offset);
    free_from = entry->data_offset + entry->compressed_size;
  }
  if (by_offset.empty() || by_offset.front()->header_offset != 0)
    bad_input("{}: zip: no record starts at byte 0: something else is in front of the archive", path());
  budget_.release(entries_.size() * sizeof(ZipEntry*));
}

std::shared_ptr<const std::byte> ZipArchive::read(const ZipEntry& entry) const {
  auto data =
      entry.deflated ? inflate_entry(entry) : std::shared_ptr<const std::byte>(file_.owner(), at(entry.data_offset));
  if (!has_checksums_) return data;
  const auto crc = static_cast<uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.get()), entry.size));
  if (crc != entry.crc) {
    bad_input("{}: zip: record {} at byte {} is damaged: its CRC-32 is {:08x}, not {:08x}; copy the file again", path(),
              quote_text(entry.name), entry.data_offset, crc, entry.crc);
  }
  return data;
}

std::shared_ptr<const std::byte> ZipArchive::inflate_entry(const ZipEntry& entry) const {
  budget_.enter(entry.name, entry.data_offset);
  budget_.charge(entry.size);
  constexpr uint64_t kMost = std::numeric_limits<uInt>::max();
  if (entry.size > kMost || entry.compressed_size > kMost)
    fail(ErrorCode::kUnsupported, "{}: zip: the compressed record {} is over 4 GiB", path(), quote_text(entry.name));
  auto data = std::make_shared_for_overwrite<std::byte[]>(entry.size + 1);  // never of size 0
  z_stream stream{};
  stream.next_in = reinterpret_cast<const Bytef*>(at(entry.data_offset));
  stream.avail_in = static_cast<uInt>(entry.compressed_size);
  stream.next_out = reinterpret_cast<Bytef*>(data.get());
  stream.avail_out = static_cast<uInt>(entry.size);
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const int result = ::inflate(&stream, Z_FINISH);
  ::inflateEnd(&stream);
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  if (result != Z_STREAM_END || stream.avail_in != 0 || stream.avail_out != 0) {
    bad_input("{}: zip: the compressed record {} at byte {} does not expand to its {} bytes", path(),
              quote_text(entry.name), entry.data_offset, entry.size);
  }
  return {data, data.get()};
}

}  // namespace effdet::checkpoint
