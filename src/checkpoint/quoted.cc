// Replaces control characters and invalid UTF-8, and cuts long texts.
#include "checkpoint/quoted.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace effdet::checkpoint {

std::string quote_text(std::string_view text) {
  constexpr size_t kMost = 100;
  std::string result = "'";
  for (const char c : text.substr(0, kMost)) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result + (text.size() > kMost ? "...'" : "'");
}

bool is_clean_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead == 0) return false;
    if (lead < 0x80) continue;
    const int following = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4) return false;
    uint32_t code = lead & (0x3Fu >> following);
    for (int k = 0; k < following; ++k, ++i) {
      if (i >= text.size() || (static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) return false;
      code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3Fu);
    }
    constexpr uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[following] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  }
  return true;
}

}  // namespace effdet::checkpoint
