// A whole server on a socket: whatever a client sends, each answer is HTTP, and the server goes on.
#include "effdet/server.h"

#include "effdet/compiled_model.h"
#include "input_file.h"
#include "server/http_client_test_util.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

/// A server of one small model at a socket in work_folder(), as long as the process lives.
const std::string& server_socket() {
  static const std::string path = (work_folder() / "socket").string();
  static Server server({{"small", CompiledModel::open(EFFDET_SOURCE_DIR "/testdata/onnx/functions/model.onnx")}},
                       {.unix_socket = path,
                        .layout = {1, 1},
                        .most_body = 1 << 20,
                        .most_pixels = 1 << 20,
                        .idle_seconds = 2,
                        .header_seconds = 1,
                        .body_seconds = 1});
  return path;
}

}  // namespace

void http(Bytes input) {
  server::HttpClient client(server_socket());
  client.send(text_of(input));
  client.end();
  const std::string answer = client.read_all();
  if (!answer.empty() && !answer.starts_with("HTTP/1."))
    finding("an answer that is not HTTP: " + answer.substr(0, 200));
  server::HttpClient other(server_socket());
  other.send("GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n");
  if (other.read().status != 200) finding("the server is not alive any more");
}

}  // namespace effdet::fuzz
