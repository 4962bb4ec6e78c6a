// PNG files in the making: chunks with their checksums, and streams.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {

constexpr size_t kAfterHeader = 8 + 8 + 13 + 4;

inline std::string u32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

inline std::string chunk(const std::string& type, const std::string& content) {
  const std::string covered = type + content;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
  return u32(static_cast<uint32_t>(content.size())) + covered + u32(static_cast<uint32_t>(crc));
}

inline std::string deflated(const std::string& content) {
  uLongf size = compressBound(content.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()), content.size());
  out.resize(size);
  return out;
}

/// Signature and header; RGB of 8 bits unless said otherwise.
inline std::string png_header(uint32_t width, uint32_t height, char depth = 8, char colour_type = 2,
                              bool interlaced = false) {
  return "\x89PNG\r\n\x1A\n" +
         chunk("IHDR", u32(width) + u32(height) + std::string{depth, colour_type, 0, 0, interlaced});
}

inline std::string with_chunk(const std::string& data, const std::string& added) {
  return data.substr(0, kAfterHeader) + added + data.substr(kAfterHeader);
}

inline Image decoded_png(const std::string& data) { return decode_image(bytes_of(data), "x.png"); }
inline ErrorCode png_code(const std::string& data) {
  return error_of([&] { decoded_png(data); }).code();
}

}  // namespace effdet::vision
