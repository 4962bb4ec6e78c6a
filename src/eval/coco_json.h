// What annotation and result files have in common.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "eval/json_reader.h"

namespace effdet {

/// Left, top, width, height. Throws where there are not four numbers, a side is negative or a number is above 1e9.
inline std::array<double, 4> read_bbox(JsonReader& reader) {
  constexpr double kLimit = 1e9;
  std::array<double, 4> bbox{};
  size_t count = 0;
  reader.read_array([&](size_t index) {
    const double value = reader.read_number();
    if (!(value >= -kLimit && value <= kLimit)) reader.error("{} is no coordinate in pixels", value);
    if (index < bbox.size()) bbox[index] = value;
    count = index + 1;
  });
  if (count != bbox.size()) reader.error("expected 4 numbers, found {}", count);
  if (bbox[2] < 0 || bbox[3] < 0) reader.error("width {} and height {}: a side is negative", bbox[2], bbox[3]);
  return bbox;
}

/// A text from a file, fit for an error of one line.
inline std::string printable(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, 80)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return result;
}

}  // namespace effdet
