// Requests that run together: each gets the bits that it would get alone.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "effdet/onnx_model.h"
#include "effdet/server.h"
#include "server/server_requests_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

/// The small model with plans for 1, 2 and 4 images.
const CompiledModel& batch_model() {
  static const CompiledModel model = [] {
    const OnnxModel network = OnnxModel::from_checkpoint(EFFDET_SOURCE_DIR "/models/tf_efficientdet_d0_shapes.pth",
                                                         {.height = 128, .width = 128});
    const std::string input = small_model().inputs()[0].name;
    CompileOptions options;
    for (const int64_t images : {1, 2, 4}) options.plans.push_back({{input, {images, 3, 128, 128}}});
    return CompiledModel::compile(network, options);
  }();
  return model;
}

/// Input number `index`, which is another one for each.
std::string input_of(size_t index) {
  std::string bytes = expected().input;
  const auto factor = static_cast<float>(index + 1) / 4;
  for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    value *= factor;
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  return bytes;
}

ServerOptions batching(size_t most) {
  return {.port = 0, .layout = {1, 1}, .preferred_batch = most, .queue_delay_us = 5'000'000};
}

uint64_t count_of(int port, const std::string& name) { return metric(port, name + R"({model="d0",version="1"})"); }

/// Input number `index` has the library's outputs, whatever runs beside it.
void expect_own_bits(int port, size_t index) {
  HttpClient client(port);
  const std::string input = input_of(index);
  const Reply reply = client.post("/v2/models/d0/infer", input, kRaw);
  ASSERT_EQ(reply.status, 200) << reply.body.substr(0, 200);
  EXPECT_EQ(binary_outputs(reply), outputs_of(batch_model(), bytes_of(input)));
}

TEST(Batch, RequestsThatWaitRunTogether) {
  Server server({{.name = "d0", .model = batch_model()}}, batching(4));
  {
    std::vector<std::jthread> clients;
    for (size_t i = 0; i < 4; ++i) clients.emplace_back([&, i] { expect_own_bits(server.port(), i); });
  }
  EXPECT_EQ(count_of(server.port(), "nv_inference_request_success"), 4u);
  EXPECT_EQ(count_of(server.port(), "nv_inference_exec_count"), 1u);
}

TEST(Batch, BadRequestsAndOddNumbersAreNoHindrance) {
  Server server({{.name = "d0", .model = batch_model()}}, batching(4));
  {
    std::vector<std::jthread> clients;
    for (size_t i = 0; i < 3; ++i) clients.emplace_back([&, i] { expect_own_bits(server.port(), i); });
    clients.emplace_back([&] { expect_error(HttpClient(server.port()).post("/v2/models/d0/infer", "x", kRaw), 400); });
  }
  EXPECT_EQ(count_of(server.port(), "nv_inference_exec_count"), 2u);  // 2 and 1
}

TEST(Batch, ModelsWithoutSuchPlansAndPicturesRunAlone) {
  ServerOptions options = batching(4);
  options.queue_delay_us = 0;
  Server server({{.name = "d0", .model = small_model()}}, options);
  std::vector<std::jthread> clients;
  for (size_t i = 0; i < 3; ++i)
    clients.emplace_back([&] {
      HttpClient client(server.port());
      EXPECT_EQ(client.post("/v2/models/d0/detect", picture_file()).status, 200);
      const Reply reply = post_binary(client, binary_header());
      ASSERT_EQ(reply.status, 200);
      EXPECT_EQ(binary_outputs(reply), expected().outputs);
    });
  clients.clear();
  EXPECT_EQ(count_of(server.port(), "nv_inference_exec_count"), 3u);
}

}  // namespace
}  // namespace effdet::server
