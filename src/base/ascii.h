// Letters of ASCII, whatever the locale.
#pragma once

namespace effdet::inline base {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace effdet::inline base
