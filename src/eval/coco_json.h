// What annotation and result files have in common.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "eval/json_reader.h"

namespace effdet::eval {

/// Left, top, width, height, or why a record with this box is left out.
struct BoxOfRecord {
  std::array<double, 4> values{};
  const char* problem = nullptr;
  bool is_absent = false;  ///< null or []
};

/// Reads a box. null and [], which annotations without a box have, are a problem, and so are NaN, infinity, sides below
/// 0 and coordinates above 1e9. Throws Error(kBadInput) where there are other than four numbers.
inline BoxOfRecord read_box(JsonReader& reader) {
  constexpr double kLimit = 1e9;
  BoxOfRecord box;
  if (reader.peek() == 'n') {
    reader.skip();
    box.problem = "no box";
    box.is_absent = true;
    return box;
  }
  size_t count = 0;
  reader.read_array([&](size_t index) {
    const double value = reader.read_any_number();
    if (!std::isfinite(value)) {
      box.problem = "box with NaN or infinity";
    } else if (std::abs(value) > kLimit && box.problem == nullptr) {
      box.problem = "box beyond 1e9 pixels";
    }
    if (index < box.values.size()) box.values[index] = value;
    count = index + 1;
  });
  if (count == 0) {
    box.problem = "no box";
    box.is_absent = true;
  }
  if (count != 0 && count != box.values.size()) reader.error("expected 4 numbers, found {}", count);
  if (box.problem == nullptr && (box.values[2] < 0 || box.values[3] < 0)) box.problem = "box with a negative side";
  return box;
}

/// A text from a file, fit for an error of one line.
inline std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 80)) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f) {
      result += c;
    } else {
      for (const char part : {'\\', 'x', "0123456789abcdef"[code >> 4], "0123456789abcdef"[code & 15]}) result += part;
    }
  }
  return result;
}

}  // namespace effdet::eval
