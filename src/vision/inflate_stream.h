// zlib streams as PNG has them: in pieces, and from hostile files.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace effdet::vision {

/// One zlib stream after the other. Each call of inflate() makes progress, or says what is in its way.
class InflateStream {
 public:
  enum class Status {
    kOutputFull,
    kNeedsInput,
    kEnd,     ///< of the stream; what is left of the input does not belong to it
    kBroken,  ///< problem() says how
  };

  /// Throws Error(kOutOfMemory).
  InflateStream();
  ~InflateStream() { inflateEnd(&stream_); }
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;

  /// Begins a stream. Its bytes must outlive the calls of inflate().
  void start(std::span<const std::byte> input);
  /// More bytes of the same stream, at kNeedsInput.
  void feed(std::span<const std::byte> input);
  /// Inflates to the front of output and cuts off what it has filled. Throws Error(kOutOfMemory).
  Status inflate(std::span<uint8_t>& output);

  /// Input that no inflate() has taken.
  size_t input_left() const { return stream_.avail_in; }
  const char* problem() const;

 private:
  z_stream stream_{};
  int status_ = Z_OK;
};

}  // namespace effdet::vision
