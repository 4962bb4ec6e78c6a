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
    Runner runner(small_model(), 1);
    const OutputMemory memory(runner.output_bytes());
    const std::span<const std::byte> view = bytes;
    runner.run({&view, 1}, memory.outputs());
    for (const auto& output : memory.outputs())
      outputs.emplace_back(reinterpret_cast<const char*>(output.data()), output.size());
  }
};

inline const Expected& expected() {
  static const Expected result;
  return result;
}

}  // namespace effdet::server
