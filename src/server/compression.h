// Compressed bodies, both ways: gzip and deflate.
#pragma once

#include <cstdint>
#include <string_view>

#include "server/message.h"

namespace effdet::server {

/// Whether a Content-Encoding can be read; none is "".
bool is_known_encoding(std::string_view encoding);
/// Replaces a compressed body by what it holds, at most `most` bytes. Throws HttpError(413) for more, 400 for broken
/// streams and for bytes behind them, 503 where the memory is used up.
void decompress_body(Request& request, uint64_t most);
/// Compresses an answer as the client's Accept-Encoding allows, where that can make it smaller.
void compress_answer(Answer& answer, std::string_view accept_encoding);

}  // namespace effdet::server
