// Walks over the headers of a tar file: blocks of 512 bytes, each followed by its content in whole blocks.
#include "dataset/tar_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace effdet::dataset {
namespace {

constexpr uint64_t kBlock = 512;
/// Of long names and pax records.
constexpr uint64_t kMostExtra = 1 << 20;
/// Pages that were looked at are given back after so many bytes, so that a large archive seems to take no memory.
constexpr uint64_t kRelease = uint64_t{16} << 20;

struct Field {
  size_t offset, bytes;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kType{156, 1}, kMagic{257, 6}, kPrefix{345, 155},
    kLinkName{157, 100};

struct Compression {
  std::string_view magic, name;
};
constexpr Compression kCompressions[] = {{"\x1f\x8b", "gzip"},
                                         {"\x28\xb5\x2f\xfd", "zstd"},
                                         {"BZh", "bzip2"},
                                         {std::string_view("\xfd"
                                                           "7zXZ",
                                                           5),
                                          "xz"},
                                         {"\x04\x22\x4d\x18", "lz4"}};

class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& path) : file_(path) {
    for (const Compression& compression : kCompressions)
      if (file_.text().starts_with(compression.magic))
        fail(ErrorCode::kUnsupported, "{}: is compressed by {}; decompress it: members are read in place", file_.path(),
             compression.name);
  }

  void walk(const std::function<void(TarMember)>& f) {
    for (uint64_t kept = 0; !at_end();) {
      read_header(f);
      if (at_ - kept < kRelease) continue;
      file_.release(kept, at_);
      kept = at_;
    }
    const auto rest = file_.text().substr(std::min<uint64_t>(at_, file_.size()));
    if (const size_t more = rest.find_first_not_of('\0'); more != std::string_view::npos)
      refuse(at_ + more,
             "there is something behind the archive's end; where archives were put one after the other, "
             "give each by itself");
  }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    bad_input("{}: offset {}: {}", file_.path(), offset, fmt::format(format, std::forward<Args>(args)...));
  }

  /// At the first block of zeros.
  bool at_end() const {
    if (file_.size() - at_ < kBlock)
      refuse(at_, "the file ends here without the blocks of zeros that end a tar file: it is cut, or is none");
    return header().find_first_not_of('\0') == std::string_view::npos;
  }

  std::string_view header() const { return file_.text().substr(at_, kBlock); }
  std::string_view field(const Field& place) const { return header().substr(place.offset, place.bytes); }
  std::string_view text(const Field& place) const {
    const std::string_view whole = field(place);
    return whole.substr(0, whole.find('\0'));
  }

  /// Octal digits, or, with the highest bit set, the bytes of a large number, as GNU tar has it.
  uint64_t number(const Field& place, std::string_view what) const {
    const std::string_view digits = field(place);
    uint64_t value = 0;
    if ((static_cast<uint8_t>(digits[0]) & 0x80) != 0) {
      for (size_t i = 0; i < digits.size(); ++i) {
        const uint8_t byte = static_cast<uint8_t>(digits[i]) & (i == 0 ? 0x7f : 0xff);
        if (value >> 55 != 0) refuse(at_ + place.offset, "bad {}", what);
        value = value << 8 | byte;
      }
      return value;
    }
    const size_t first = digits.find_first_not_of(' ');
    const size_t last = digits.find_first_of(std::string_view(" \0", 2), first);
    const std::string_view octal =
        first == std::string_view::npos ? std::string_view() : digits.substr(first, last - first);
    if (octal.empty()) return 0;  // GNU tar's label of an archive
    const auto [end, error] = std::from_chars(octal.data(), octal.data() + octal.size(), value, 8);
    if (error != std::errc() || end != octal.data() + octal.size()) refuse(at_ + place.offset, "bad {}", what);
    return value;
  }

  /// Bytes as unsigned, as POSIX has it; some old programs took them as signed.
  void check_checksum() const {
    uint64_t sum = 0;
    int64_t signed_sum = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      const bool is_own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.bytes;
      const char byte = is_own ? ' ' : header()[i];
      sum += static_cast<uint8_t>(byte);
      signed_sum += static_cast<signed char>(byte);
    }
    const uint64_t told = number(kChecksum, "checksum");
    if (told != sum && static_cast<int64_t>(told) != signed_sum)
      refuse(at_, "the header's checksum is wrong: it is no tar file, or is damaged");
  }

  void read_header(const std::function<void(TarMember)>& f) {
    check_checksum();
    const char type = field(kType)[0];
    const bool has_content = std::string_view("123456").find(type) == std::string_view::npos;
    uint64_t bytes = has_content ? number(kSize, "size") : 0;
    const bool is_extra = std::string_view("xgLK").find(type) != std::string_view::npos;
    if (has_content && !is_extra && pax_size_) bytes = *pax_size_;
    const uint64_t content = at_ + kBlock;
    if (bytes > file_.size() - content)
      refuse(at_, "{} bytes of content, but the file ends after {}: it is cut", bytes, file_.size() - content);
    if (is_extra) {
      if (bytes > kMostExtra) refuse(at_, "{} bytes of long names or records", bytes);
      read_extra(type, content, file_.text().substr(content, bytes));
    } else {
      if (type == 'S' || type == 'M')
        fail(ErrorCode::kUnsupported, "{}: offset {}: {}", file_.path(), at_,
             type == 'S' ? "a sparse file" : "a part of a file that began in another volume");
      if (type == '0' || type == '\0' || type == '7') f({TarKind::kFile, name(), content, bytes, {}});
      if (type == '1' || type == '2')
        f({type == '1' ? TarKind::kHardLink : TarKind::kSymbolicLink, name(), 0, 0,
           long_target_ ? *long_target_ : std::string(text(kLinkName))});
      long_name_.reset();
      long_target_.reset();
      pax_size_.reset();
    }
    const uint64_t blocks = (bytes + kBlock - 1) / kBlock * kBlock;
    if (blocks > file_.size() - content) refuse(content + bytes, "the file ends within a block: it is cut");
    at_ = content + blocks;
  }

  std::string name() const {
    if (long_name_) return *long_name_;
    const bool is_ustar = field(kMagic) == std::string_view("ustar\0", 6);  // GNU's has a blank, and no prefix
    const std::string_view prefix = is_ustar ? text(kPrefix) : std::string_view();
    return prefix.empty() ? std::string(text(kName)) : fmt::format("{}/{}", prefix, text(kName));
  }

  /// What belongs to the next header.
  void read_extra(char type, uint64_t offset, std::string_view content) {
    if (type == 'L') long_name_ = content.substr(0, content.find('\0'));
    if (type == 'K') long_target_ = content.substr(0, content.find('\0'));
    if (type == 'x' || type == 'g') read_records(offset, content, /*global=*/type == 'g');
  }

  /// "LENGTH key=value\n" each, where LENGTH is that of all of it.
  void read_records(uint64_t offset, std::string_view content, bool global) {
    while (!content.empty() && content[0] != '\0') {
      uint64_t length = 0;
      const char* const end = content.data() + content.size();
      const auto [digits, error] = std::from_chars(content.data(), end, length);
      const size_t head = static_cast<size_t>(digits - content.data()) + 1;
      if (error != std::errc() || length > content.size() || length <= head || *digits != ' ' ||
          content[length - 1] != '\n')
        refuse(offset, "bad pax record");
      const std::string_view record = content.substr(head, length - head - 1);
      const size_t equals = record.find('=');
      if (equals == std::string_view::npos) refuse(offset, "bad pax record");
      take_record(offset, record.substr(0, equals), record.substr(equals + 1), global);
      content.remove_prefix(length);
      offset += length;
    }
  }

  void take_record(uint64_t offset, std::string_view key, std::string_view value, bool global) {
    const bool is_sparse = key.starts_with("GNU.sparse.");
    if (is_sparse || (global && (key == "path" || key == "linkpath" || key == "size")))
      fail(ErrorCode::kUnsupported, "{}: offset {}: {}", file_.path(), offset,
           is_sparse ? "a sparse file" : "one name or size for all members");
    if (key == "path" || key == "linkpath") {
      if (value.find('\0') != std::string_view::npos) refuse(offset, "a name with a NUL byte");
      (key == "path" ? long_name_ : long_target_) = value;
    } else if (key == "size") {
      uint64_t bytes = 0;
      const auto [digits, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
      if (error != std::errc() || digits != value.data() + value.size()) refuse(offset, "bad size");
      pax_size_ = bytes;
    }
  }

  MappedFile file_;
  uint64_t at_ = 0;  ///< of the header that is looked at
  std::optional<std::string> long_name_, long_target_;
  std::optional<uint64_t> pax_size_;
};

}  // namespace

void for_each_member(const std::filesystem::path& tar, const std::function<void(TarMember)>& f) {
  TarReader(tar).walk(f);
}

}  // namespace effdet::dataset
