// Text from a hostile file, made fit for a one-line message.
#pragma once

#include <string>
#include <string_view>

namespace effdet::checkpoint {

/// The text in single quotes, control and non-ASCII bytes as \xNN, cut after 100 bytes.
std::string quote_text(std::string_view text);

/// Whether text is well-formed UTF-8 (no overlong forms, no surrogates) without NUL.
bool is_clean_utf8(std::string_view text);

}  // namespace effdet::checkpoint
