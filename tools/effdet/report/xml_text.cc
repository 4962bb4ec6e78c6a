// Escapes text, character by character of UTF-8.
#include "report/xml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace effdet::cli {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  ///< 0: no UTF-8
};

/// The first character, by the table of RFC 3629.
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return {};
  uint32_t code = first & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[bytes] || code > 0x10ffff || is_surrogate ? Character{} : Character{code, bytes};
}

/// Control characters are no XML; what turns the direction of writing around would let a name rewrite its surroundings.
bool is_shown(uint32_t code) {
  const bool is_control = (code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0);
  const bool turns = (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                     (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
  return !is_control && !turns && (code & 0xfffe) != 0xfffe;
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    const size_t bytes = std::max<size_t>(c.bytes, 1);
    if (c.bytes == 0 || !is_shown(c.code)) {
      for (size_t i = at; i < at + bytes; ++i) result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else if (c.code == '<') {
      result += "&lt;";
    } else if (c.code == '>') {
      result += "&gt;";
    } else if (c.code == '&') {
      result += "&amp;";
    } else if (c.code == '"') {
      result += "&quot;";
    } else if (c.code == '\'') {
      result += "&#39;";
    } else {
      result += text.substr(at, bytes);
    }
    at += bytes;
  }
  return result;
}

namespace {

/// What xml_text() makes of a character, in columns.
size_t columns_of(Character c) {
  if (c.bytes == 0) return 4;
  if (!is_shown(c.code)) return 4 * c.bytes;
  return c.code >= 0x1100 ? 2 : 1;
}

}  // namespace

size_t text_columns(std::string_view text) {
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    columns += columns_of(c);
    at += std::max<size_t>(c.bytes, 1);
  }
  return columns;
}

std::string shortened_to(std::string_view text, size_t columns) {
  if (text_columns(text) <= columns) return std::string(text);
  size_t at = 0;
  for (size_t used = 3; at < text.size();) {
    const Character c = first_character(text.substr(at));
    used += columns_of(c);
    if (used > columns) break;
    at += std::max<size_t>(c.bytes, 1);
  }
  return std::string(text.substr(0, at)) + "...";
}

}  // namespace effdet::cli
