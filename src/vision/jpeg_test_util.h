// Marker segments of JPEG files, found and made.
#pragma once

#include <cstdint>
#include <string>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {

inline Image decoded_jpeg(const std::string& data) { return decode_image(bytes_of(data), "x.jpg"); }
inline ErrorCode jpeg_code(const std::string& data) {
  return error_of([&] { decoded_jpeg(data); }).code();
}

/// Where the segment with this marker begins.
inline size_t segment(const std::string& data, uint8_t marker) {
  const size_t at = data.find(std::string{'\xFF', static_cast<char>(marker)});
  EXPECT_NE(at, std::string::npos);
  return at;
}
inline size_t segment_end(const std::string& data, size_t at) {
  return at + 2 + (static_cast<uint8_t>(data[at + 2]) << 8 | static_cast<uint8_t>(data[at + 3]));
}

inline std::string segment_of(uint8_t marker, const std::string& body) {
  const size_t length = body.size() + 2;
  return {"\xFF" + std::string{static_cast<char>(marker), static_cast<char>(length >> 8), static_cast<char>(length)} +
          body};
}

}  // namespace effdet::vision
