// zlib's streams for bodies.
#include "server/compression.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

#include "server/http_error.h"

namespace effdet::server {
namespace {

constexpr int kAnyWindow = 15 + 32;  // zlib's and gzip's headers
constexpr int kGzipWindow = 15 + 16;
constexpr int kZlibWindow = 15;

/// A z_stream that ends itself.
class ZlibStream {
 public:
  using End = int (*)(z_streamp);
  explicit ZlibStream(End end) : end_(end) {}
  ~ZlibStream() { end_(&stream); }
  ZlibStream(const ZlibStream&) = delete;
  ZlibStream& operator=(const ZlibStream&) = delete;

  z_stream stream{};

 private:
  End end_;
};

void give_input(z_stream& stream, std::span<const std::byte> bytes) {
  // zlib reads its input and does not say so.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());  // bodies and parts of answers are below 4 GiB
}

std::string_view trimmed_token(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// "gzip;q=0" is a refusal.
bool is_refusal(std::string_view parameters) {
  const size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return false;
  double weight = 1;
  std::from_chars(parameters.data() + at + 2, parameters.data() + parameters.size(), weight);
  return weight <= 0;
}

bool accepts(std::string_view list, std::string_view encoding) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    const std::string_view item = list.substr(0, end);
    const size_t semicolon = std::min(item.find(';'), item.size());
    if (trimmed_token(item.substr(0, semicolon)) == encoding && !is_refusal(item.substr(semicolon))) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// All of an answer's body, compressed.
std::vector<std::byte> deflated(const Answer& answer, int window) {
  constexpr int kFast = 1;
  ZlibStream zlib(deflateEnd);
  if (deflateInit2(&zlib.stream, kFast, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(answer.text))};
  parts.insert(parts.end(), answer.parts.begin(), answer.parts.end());
  std::vector<std::byte> all;
  std::array<std::byte, 64 << 10> buffer;
  for (size_t i = 0; i < parts.size(); ++i) {
    give_input(zlib.stream, parts[i]);
    const int flush = i + 1 == parts.size() ? Z_FINISH : Z_NO_FLUSH;
    do {
      zlib.stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      zlib.stream.avail_out = buffer.size();
      deflate(&zlib.stream, flush);
      all.insert(all.end(), buffer.begin(), buffer.end() - zlib.stream.avail_out);
    } while (zlib.stream.avail_out == 0);
  }
  return all;
}

}  // namespace

bool is_known_encoding(std::string_view encoding) {
  return encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "x-gzip" ||
         encoding == "deflate";
}

void decompress_body(Request& request, uint64_t most) {
  if (request.content_encoding.empty() || request.content_encoding == "identity") return;
  ZlibStream zlib(inflateEnd);
  if (inflateInit2(&zlib.stream, kAnyWindow) != Z_OK) throw std::bad_alloc();
  give_input(zlib.stream, request.body.bytes());
  Body decoded(request.body.pool());
  decoded.expect(0, request.header_length.value_or(0));
  while (true) {
    constexpr size_t kAtOnce = 1 << 20;
    const std::span<std::byte> room = decoded.room(kAtOnce);
    zlib.stream.next_out = reinterpret_cast<Bytef*>(room.data());
    zlib.stream.avail_out = static_cast<uInt>(room.size());
    const int status = inflate(&zlib.stream, Z_NO_FLUSH);
    const size_t filled = room.size() - zlib.stream.avail_out;
    request.reservation.pay(filled);
    decoded.add(filled);
    if (decoded.size() > most)
      throw HttpError(413, "the compressed body holds more than the {} bytes that are allowed", most);
    if (status == Z_STREAM_END) break;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK || (filled == 0 && zlib.stream.avail_in == 0))
      throw HttpError(400, "the compressed body is damaged or cut after {} bytes", decoded.size());
  }
  if (zlib.stream.avail_in != 0) throw HttpError(400, "{} bytes follow the compressed body", zlib.stream.avail_in);
  request.body.swap(decoded);
}

void compress_answer(Answer& answer, std::string_view accept_encoding) {
  constexpr uint64_t kLeast = 1024;
  if (accept_encoding.empty() || answer.body_bytes() < kLeast || answer.content_type.starts_with("image/")) return;
  const bool gzip = accepts(accept_encoding, "gzip");
  if (!gzip && !accepts(accept_encoding, "deflate")) return;
  auto bytes = std::make_shared<const std::vector<std::byte>>(deflated(answer, gzip ? kGzipWindow : kZlibWindow));
  answer.fields.emplace_back("Content-Encoding", gzip ? "gzip" : "deflate");
  answer.text.clear();
  answer.parts = {*bytes};
  answer.owner = std::move(bytes);
}

}  // namespace effdet::server
