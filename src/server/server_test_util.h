// A server of a small model for tests, and what the library itself makes of the same input.
#pragma once

#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/output_memory.h"
#include "effdet/server.h"

namespace effdet::server {

inline const CompiledModel& small_model() {
  static const CompiledModel model =
      CompiledModel::open(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth", {.height = 128, .width = 128});
  return model;
}

inline std::string picture_file(const std::string& name = "progressive_420.jpg") {
  std::ifstream file(std::string(EFFDET_SOURCE_DIR "/testdata/images/") + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Of a request whose body is the only input's data.
inline constexpr const char* kRaw = "Inference-Header-Content-Length: 0\r\n";

/// What the library computes of the model's only input.
inline std::vector<std::string> outputs_of(const CompiledModel& model, std::span<const std::byte> input) {
  Runner runner(model, 1);
  const OutputMemory memory(runner.output_bytes());
  runner.run({&input, 1}, memory.outputs());
  std::vector<std::string> outputs;
  for (const auto& output : memory.outputs())
    outputs.emplace_back(reinterpret_cast<const char*>(output.data()), output.size());
  return outputs;
}

/// A server of the small model on a free port; streams: 1, of one thread.
class TestServer {
 public:
  explicit TestServer(ServerOptions options = {}) : server_({{"d0", small_model()}}, with_port(std::move(options))) {}
  Server& operator*() { return server_; }
  Server* operator->() { return &server_; }
  int port() const { return server_.port(); }

 private:
  static ServerOptions with_port(ServerOptions options) {
    options.port = 0;
    options.layout = {1, 1};
    return options;
  }
  Server server_;
};

/// Made-up input of the small model, and what the library computes for it.
struct Expected {
  std::string input;
  std::vector<std::string> outputs;

  Expected() {
    const std::vector<std::byte> bytes = made_up_input(small_model().inputs()[0]);
    input.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    outputs = outputs_of(small_model(), bytes);
  }
};

inline const Expected& expected() {
  static const Expected result;
  return result;
}

}  // namespace effdet::server
