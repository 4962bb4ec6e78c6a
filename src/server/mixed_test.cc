// Clients that do everything at once, by chance: whatever they do, good requests get the library's own bits.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "effdet/server.h"
#include "server/server_requests_test_util.h"
#include "server/shared_memory_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

/// One client's requests; each is on a connection that may be a new one.
class MixedClient {
 public:
  MixedClient(int port, unsigned seed, const json& detections)
      : port_(port), random_(seed), detections_(detections), file_(picture_file()), seed_(std::to_string(seed)) {}

  void run(int requests) {
    for (int i = 0; i < requests; ++i) {
      if (client_ == nullptr || below(4) == 0) client_ = std::make_unique<HttpClient>(port_);
      constexpr std::array kActions = {&MixedClient::tensors,
                                       &MixedClient::picture,
                                       &MixedClient::urgent_picture,
                                       &MixedClient::chunks,
                                       &MixedClient::pipeline,
                                       &MixedClient::look,
                                       &MixedClient::nonsense,
                                       &MixedClient::load,
                                       &MixedClient::leave_with_the_answer_due,
                                       &MixedClient::leave_halfway,
                                       &MixedClient::send_too_much,
                                       &MixedClient::shared_tensors,
                                       &MixedClient::memory_that_goes,
                                       &MixedClient::leave_with_shared_tensors};
      (this->*kActions[below(kActions.size())])();
    }
  }

 private:
  size_t below(size_t count) { return random_() % count; }

  /// 503 is right where the queue is full or a timeout is over.
  static void expect_refusal(const Reply& reply) {
    expect_error(reply, 503);
    EXPECT_EQ(reply.fields.at("retry-after"), "1");
  }

  void tensors() {
    const Reply reply = post_binary(*client_, binary_header({{"binary_data_output", true}, {"priority", below(4)}}));
    if (reply.status != 200) return expect_refusal(reply);
    EXPECT_EQ(binary_outputs(reply), expected().outputs);
  }

  void check_picture(const Reply& reply) {
    if (reply.status != 200) return expect_refusal(reply);
    EXPECT_EQ(json::parse(reply.body)["detections"], detections_);
  }
  void picture() { check_picture(client_->post("/v2/models/d0/detect", file_)); }
  void urgent_picture() {
    check_picture(client_->post(
        "/v2/models/d0/detect?priority=" + std::to_string(below(4)) + "&timeout=" + std::to_string(below(20'000)),
        file_));
  }

  void chunks() {
    client_->send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < file_.size();) {
      const std::string part = file_.substr(at, 1 + below(5000));
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      client_->send(size + part + "\r\n");
      at += part.size();
    }
    client_->send("0\r\n\r\n");
    check_picture(client_->read());
  }

  void pipeline() {
    client_->send("GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n" + head(file_.size()) + file_ +
                  "GET /v2/models/stats HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(client_->read().status, 200);
    check_picture(client_->read());
    EXPECT_EQ(client_->read().status, 200);
  }

  void look() {
    constexpr const char* kPaths[] = {"/metrics", "/v2/health/ready", "/v2/models/d0", "/v2/models/d0_detect/config",
                                      "/"};
    EXPECT_EQ(client_->get(kPaths[below(5)]).status, 200);
  }

  void nonsense() {
    expect_nonsense(client_->post("/v2/models/d0/infer", "{\"inputs\":[" + std::string(below(100), '[')));
    expect_nonsense(client_->post("/v2/models/d0/detect", file_.substr(0, below(file_.size() / 2))));
    expect_error(client_->get("/v2/models/nope"), 404);
  }
  /// What is wrong with a body is found when a stream takes it.
  static void expect_nonsense(const Reply& reply) { expect_error(reply, reply.status == 503 ? 503 : 400); }

  void load() {
    const Reply reply = client_->post("/v2/repository/models/d0/load", "{}");
    if (reply.status != 200) expect_refusal(reply);
  }

  void leave_with_the_answer_due() {
    client_->send(head(file_.size()) + file_);
    client_.reset();
  }
  void leave_halfway() {
    client_->send(head(file_.size()) + file_.substr(0, below(file_.size())));
    client_.reset();
  }

  void send_too_much() {
    expect_error(client_->post("/v2/models/d0/detect", std::string(2'000'001, 'x')), 413);
    client_.reset();
  }

  std::string region() const { return seed_ + "_" + std::to_string(regions_); }
  void unshare() {
    EXPECT_EQ(client_->post("/v2/systemsharedmemory/region/" + region() + "/unregister", "").status, 200);
  }
  /// Under a new name: requests that were left have the old one.
  void share() {
    unshare();
    ++regions_;
    object_.write(0, expected().input);
    const json body = {{"key", object_.key()}, {"byte_size", object_.size()}};
    EXPECT_EQ(client_->post("/v2/systemsharedmemory/region/" + region() + "/register", body.dump()).status, 200);
  }
  void send_shared() {
    json header = binary_header();
    header["inputs"][0]["parameters"] = part_of(region(), 0, input_bytes_);
    header["outputs"] = {
        {{"name", small_model().outputs()[0].name}, {"parameters", part_of(region(), input_bytes_, output_bytes_)}}};
    const std::string text = header.dump();
    client_->send(head(text.size(), "infer") + text);
  }
  void shared_tensors() {
    share();
    send_shared();
    const Reply reply = client_->read();
    if (reply.status != 200) return expect_refusal(reply);
    EXPECT_TRUE(object_.read(input_bytes_, output_bytes_) == expected().outputs[0]);
  }
  void memory_that_goes() {
    share();
    send_shared();
    object_.resize(below(object_.size()));
    if (const Reply reply = client_->read(); reply.status != 200) expect_nonsense(reply);
    object_.resize(object_.size());
  }
  /// The stream goes on in a region that has no name any more.
  void leave_with_shared_tensors() {
    share();
    send_shared();
    client_ = std::make_unique<HttpClient>(port_);
    unshare();
  }

  static std::string head(size_t length, const std::string& what = "detect") {
    return "POST /v2/models/d0/" + what + " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
  }

  int port_;
  std::mt19937 random_;
  const json& detections_;
  const std::string file_;
  const std::string seed_;
  int regions_ = 0;
  const size_t input_bytes_ = expected().input.size(), output_bytes_ = expected().outputs[0].size();
  SharedObject object_{input_bytes_ + output_bytes_};
  std::unique_ptr<HttpClient> client_;
};

/// EFFDET_MIXED_REQUESTS: of each client.
int requests_of_each() {
  const char* text = std::getenv("EFFDET_MIXED_REQUESTS");
  return text == nullptr ? 30 : std::atoi(text);
}

TEST(MixedRequests, GoodOnesGetTheLibrarysBits) {
  constexpr unsigned kClients = 8;
  Server server({{.name = "d0", .model = small_model(), .layout = StreamLayout{2, 1}, .queue = 3}},
                {.port = 0,
                 .priority_levels = 3,
                 .most_body = 2'000'000,
                 .shared_memory = true,
                 .open_model = [](const std::string&) { return small_model(); },
                 .on_request = [](const ServedRequest&) {}});
  const json detections =
      json::parse(HttpClient(server.port()).post("/v2/models/d0/detect", picture_file()).body)["detections"];
  expected();  // before threads ask for it
  {
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < kClients; ++seed)
      threads.emplace_back([&, seed] { MixedClient(server.port(), seed, detections).run(requests_of_each()); });
  }
  // Everything comes back: memory, when the last ones that were left are done, and the queue.
  const std::string gauge = R"(nv_inference_pending_request_count{model="d0",version="1"})";
  for (int i = 0; i < 3000 && metric(server.port(), "effdet_memory_bytes") > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(metric(server.port(), "effdet_memory_bytes"), 0u);
  EXPECT_EQ(metric(server.port(), gauge), 0u);
  server.stop();
  EXPECT_TRUE(server.wait());
}

}  // namespace
}  // namespace effdet::server
