// A file's content as text, and numbers at places of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace effdet::vision {

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Little-endian, as BMP, GIF and RIFF have them. A place past the end is an error that names it.
class ByteReader {
 public:
  /// format: what messages say after the file's name: "BMP".
  ByteReader(std::span<const std::byte> bytes, std::string_view name, std::string_view format)
      : bytes_(bytes), name_(name), format_(format) {}

  size_t size() const { return bytes_.size(); }
  uint32_t u8(size_t at) const { return static_cast<uint32_t>(part(at, 1)[0]); }
  uint32_t u16(size_t at) const { return u8(at) | u8(at + 1) << 8; }
  uint32_t u32(size_t at) const { return u16(at) | u16(at + 2) << 16; }
  /// count bytes at a place. Throws Error(kBadInput) where the file ends before.
  std::span<const std::byte> part(size_t at, size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at)
      bad_input("{}: {}: cut short: {} bytes at offset {} are wanted, and the file has {}", name_, format_, count, at,
                bytes_.size());
    return bytes_.subspan(at, count);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view name_, format_;
};

}  // namespace effdet::vision
