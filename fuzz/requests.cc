// What a server parses of a request once its header is read.
#include <memory>

#include "effdet/error.h"
#include "server/compression.h"
#include "server/grpc/read_infer.h"
#include "server/http_error.h"
#include "server/infer_request.h"
#include "server/multipart.h"
#include "server/route.h"
#include "server/target.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

std::unique_ptr<server::Request> request_of(Bytes body) {
  auto request = std::make_unique<server::Request>(std::make_shared<server::MemoryBudget>(64 << 20),
                                                   std::make_shared<server::BodyPool>());
  while (!body.empty()) {
    const std::span<std::byte> room = request->body.room(body.size());
    std::ranges::copy(body.first(room.size()), room.begin());
    request->body.add(room.size());
    body = body.subspan(room.size());
  }
  return request;
}

/// As read(), where an error of HTTP is a good end, too.
void parse(const std::function<void()>& parser) {
  read([&] {
    try {
      parser();
    } catch (const server::HttpError&) {
    }
  });
}

}  // namespace

/// The first two bytes are the length of the JSON, 0xFFFF for a request without that header.
void infer_request(Bytes input) {
  if (input.size() < 2) return;
  const auto length = std::to_integer<uint64_t>(input[0]) | std::to_integer<uint64_t>(input[1]) << 8;
  const auto request = request_of(input.subspan(2));
  if (length != 0xFFFF) request->header_length = length;
  parse([&] {
    for (const server::InferInput& tensor : server::parse_infer_request(*request).inputs)
      if (tensor.type != nullptr) server::bytes_elements(tensor.bytes, 3);
  });
}

/// ModelInferRequest of gRPC, from its bytes.
void grpc_request(Bytes input) {
  const auto request = request_of({});
  parse([&] {
    server::grpc_module::read_infer(input, nullptr, *request);
    server::parse_infer_request(*request);
  });
}

void multipart(Bytes input) {
  parse([&] {
    for (const auto& file : server::multipart_files(text_of(input), "multipart/form-data; boundary=x", 8))
      if (file.bytes.size() > input.size()) finding("a file larger than its body");
  });
}

/// The first byte chooses between gzip and deflate.
void compressed_body(Bytes input) {
  if (input.empty()) return;
  const auto request = request_of(input.subspan(1));
  request->content_encoding = input[0] == std::byte{'g'} ? "gzip" : "deflate";
  parse([&] { server::decompress_body(*request, 1 << 20); });
  if (request->body.size() > (1 << 20) && request->body.size() > input.size()) finding("a body above its limit");
}

void request_target(Bytes input) {
  parse([&] { server::find_route(server::parse_target(text_of(input))); });
}

}  // namespace effdet::fuzz
