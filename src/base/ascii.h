// Letters and digits of ASCII, whatever the locale.
#pragma once

namespace effdet::inline base {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What names have that become parts of paths or URLs: letters, digits, '_', '-' and '.'.
constexpr bool is_name_character(char c) {
  return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || is_digit(c) || c == '_' || c == '-' || c == '.';
}

}  // namespace effdet::inline base
