// Wraps zlib's inflate: input in pieces, output as far as there is room, errors in words.
#include "vision/inflate_stream.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace effdet::vision {

InflateStream::InflateStream() {
  if (inflateInit(&stream_) != Z_OK) fail(ErrorCode::kOutOfMemory, "no memory to inflate");
}

void InflateStream::start(std::span<const std::byte> input) {
  inflateReset(&stream_);
  feed(input);
}

void InflateStream::feed(std::span<const std::byte> input) {
  stream_.next_in = reinterpret_cast<const Bytef*>(input.data());
  stream_.avail_in = static_cast<uInt>(input.size());
}

InflateStream::Status InflateStream::inflate(std::span<uint8_t>& output) {
  while (!output.empty()) {
    const size_t part = std::min<size_t>(output.size(), std::numeric_limits<uInt>::max());
    stream_.next_out = output.data();
    stream_.avail_out = static_cast<uInt>(part);
    status_ = ::inflate(&stream_, Z_NO_FLUSH);
    output = output.subspan(part - stream_.avail_out);
    if (status_ == Z_STREAM_END) return Status::kEnd;
    if (status_ == Z_MEM_ERROR) fail(ErrorCode::kOutOfMemory, "no memory to inflate");
    // Z_BUF_ERROR means that nothing could be done for want of input or of space. Whatever else is not Z_OK is an
    // error, the demand for a preset dictionary too, which no PNG file has.
    if (status_ != Z_OK && status_ != Z_BUF_ERROR) return Status::kBroken;
    if (stream_.avail_out == 0) continue;
    if (stream_.avail_in == 0) return Status::kNeedsInput;
    if (status_ == Z_BUF_ERROR) return Status::kBroken;
  }
  return Status::kOutputFull;
}

const char* InflateStream::problem() const {
  if (status_ == Z_NEED_DICT) return "the zlib stream asks for a preset dictionary";
  return stream_.msg ? stream_.msg : "zlib error";
}

}  // namespace effdet::vision
