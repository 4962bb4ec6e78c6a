// Letters and digits of ASCII, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace effdet::inline base {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), ascii_lower);
  return text;
}

/// Whether two words are the same but for the case of their letters.
constexpr bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ascii_lower, ascii_lower);
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What names have that become parts of paths or URLs: letters, digits, '_', '-' and '.'.
constexpr bool is_name_character(char c) {
  return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || is_digit(c) || c == '_' || c == '-' || c == '.';
}

}  // namespace effdet::inline base
