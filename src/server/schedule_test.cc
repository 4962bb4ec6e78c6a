// How requests wait: bounded queues, priorities, timeouts, clients that leave, models with settings of their own.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/sanitizer.h"
#include "effdet/server.h"
#include "server/server_requests_test_util.h"

namespace effdet::server {
namespace {

using nlohmann::json;

TEST(Schedule, RefusesWhatTheQueueCannotHoldAndCountsEverything) {
  constexpr int kClients = 24;
  TestServer server({.queue = 2});
  std::atomic<int> good = 0, refused = 0, other = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kClients; ++i)
      threads.emplace_back([&] {
        HttpClient client(server.port());
        const Reply reply = post_binary(client, binary_header());
        if (reply.status == 200 && binary_outputs(reply) == expected().outputs)
          ++good;
        else if (reply.status == 503 && reply.fields.at("retry-after") == "1")
          ++refused;
        else
          ++other;
      });
  }
  EXPECT_EQ(other, 0);
  EXPECT_GE(good, 1);
  EXPECT_EQ(good + refused, kClients);
  const std::string labels = R"({model="d0",version="1")";
  EXPECT_EQ(metric(server.port(), "nv_inference_request_success" + labels + "}"), static_cast<uint64_t>(good));
  EXPECT_EQ(metric(server.port(), "nv_inference_request_failure" + labels + R"(,reason="REJECTED"})"),
            static_cast<uint64_t>(refused));
  EXPECT_EQ(metric(server.port(), "effdet_request_seconds_bucket" + labels + R"(,le="+Inf"})"),
            static_cast<uint64_t>(good));
}

TEST(Schedule, DropsTheWorkOfClientsThatLeave) {
  TestServer server({.queue = 100});
  const std::string file = picture_file();
  {
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(std::make_unique<HttpClient>(server.port()));
      clients.back()->send("POST /v2/models/d0/detect HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                           std::to_string(file.size()) + "\r\n\r\n" + file);
    }
  }
  const std::string labels = R"({model="d0_detect",version="1")";
  HttpClient(server.port()).post("/v2/models/d0/detect", file);  // comes after all that were accepted
  const uint64_t done = metric(server.port(), "nv_inference_request_success" + labels + "}");
  const uint64_t canceled = metric(server.port(), "nv_inference_request_failure" + labels + R"(,reason="CANCELED"})");
  EXPECT_LE(done + canceled, 41u);
  EXPECT_GE(done, 1u);
  EXPECT_EQ(HttpClient(server.port()).get("/v2/health/ready").status, 200);
}

/// A server with one stream that is busy: what comes next waits.
class BusyServer {
 public:
  explicit BusyServer(ServerOptions options) : server_(logging(std::move(options))), blocker_(server_.port()) {
    constexpr int kPictures = kSanitized ? 8 : 64;
    std::string form;
    for (int i = 0; i < kPictures; ++i)
      form += "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + picture_file() + "\r\n";
    form += "--b--\r\n";
    // Its own timeout keeps it from queue_seconds, where the machine is slow.
    blocker_.send(
        "POST /v2/models/d0/detect?timeout=600000000 HTTP/1.1\r\nHost: t\r\nX-Request-Id: blocker\r\nContent-Type: "
        "multipart/form-data; boundary=b\r\nExpect: 100-continue\r\nContent-Length: " +
        std::to_string(form.size()) + "\r\n\r\n");
    EXPECT_EQ(blocker_.read().status, 100);
    blocker_.send(form);
    // Until all of it has come, and the stream has it.
    const std::string gauge = R"(nv_inference_pending_request_count{model="d0",version="1"})";
    while (metric(server_.port(), "effdet_memory_bytes") < form.size() || metric(server_.port(), gauge) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  /// A request that waits; its answer is read from what is returned.
  std::unique_ptr<HttpClient> begin(const std::string& id, const std::string& query) {
    auto client = std::make_unique<HttpClient>(server_.port());
    const std::string file = picture_file();
    client->send("POST /v2/models/d0/detect" + query + " HTTP/1.1\r\nHost: t\r\nX-Request-Id: " + id +
                 "\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(file.size()) + "\r\n\r\n");
    EXPECT_EQ(client->read().status, 100);  // requests come in the order of the calls
    client->send(file);
    return client;
  }
  void wait_for_blocker() { EXPECT_EQ(blocker_.read().status, 200); }
  uint64_t timeouts() {
    return metric(server_.port(), R"(nv_inference_request_failure{model="d0_detect",version="1",reason="TIMEOUT"})");
  }
  int port() const { return server_.port(); }
  /// Ids of answered requests, with their statuses.
  std::string log() {
    HttpClient(port()).get("/v2/health/live");  // an answer may be there before its line
    const std::lock_guard lock(mutex_);
    return log_;
  }

 private:
  ServerOptions logging(ServerOptions options) {
    options.on_request = [this](const ServedRequest& request) {
      const std::lock_guard lock(mutex_);
      if (request.id.size() == 1) log_ += request.id + std::to_string(request.status) + " ";
    };
    return options;
  }

  std::mutex mutex_;
  std::string log_;
  TestServer server_;
  HttpClient blocker_;
};

TEST(Schedule, BetterPrioritiesGoFirstAndDisplaceOthers) {
  BusyServer server({.queue = 3, .priority_levels = 3});
  const auto a = server.begin("a", "?priority=3"), b = server.begin("b", ""), c = server.begin("c", "?priority=3");
  const auto d = server.begin("d", "?priority=1");
  EXPECT_EQ(c->read().status, 503);
  const auto e = server.begin("e", "?priority=3");
  expect_error(e->read(), 503);
  server.wait_for_blocker();
  for (const auto* client : {&a, &b, &d}) EXPECT_EQ((*client)->read().status, 200);
  EXPECT_EQ(server.log(), "c503 e503 d200 b200 a200 ");
  HttpClient client(server.port());
  expect_error(post_binary(client, binary_header({{"priority", 4}})), 400);
  expect_error(post_binary(client, binary_header({{"priority", -1}})), 400);
  expect_error(client.post("/v2/models/d0/detect?priority=x", picture_file()), 400);
  EXPECT_EQ(post_binary(client, binary_header({{"priority", "3"}})).status, 200);
}

TEST(Schedule, PrioritiesAreAcceptedWhereThereAreNone) {
  TestServer server;
  HttpClient client(server.port());
  EXPECT_EQ(post_binary(client, binary_header({{"priority", 7}})).status, 200);
}

TEST(Schedule, DropsWorkWhoseTimeoutIsOver) {
  BusyServer server({.queue_seconds = 0.02});
  const uint64_t before = server.timeouts();
  const auto own = server.begin("a", "?timeout=1000"), none = server.begin("b", "");
  const auto long_one = server.begin("c", "?timeout=600000000");
  expect_error(own->read(), 503);  // while the stream is busy
  expect_error(none->read(), 503);
  HttpClient client(server.port());
  expect_error(post_binary(client, binary_header({{"timeout", 1}})), 503);
  EXPECT_EQ(server.log(), "a503 b503 ");
  EXPECT_EQ(server.timeouts(), before + 2);
  server.wait_for_blocker();
  EXPECT_EQ(long_one->read().status, 200);
  EXPECT_EQ(post_binary(client, binary_header({{"timeout", 0}})).status, 200);
}

TEST(Schedule, BytesOfAQueueAreBounded) {
  BusyServer server({.queue_bytes = picture_file().size() * 2});
  const auto a = server.begin("a", ""), b = server.begin("b", ""), c = server.begin("c", "");
  expect_error(c->read(), 503);
  server.wait_for_blocker();
  EXPECT_EQ(a->read().status, 200);
  EXPECT_EQ(b->read().status, 200);
}

TEST(Schedule, ModelsHaveStreamsAndQueuesOfTheirOwn) {
  Server server({{.name = "a", .model = small_model(), .layout = StreamLayout{2, 1}, .queue = 0},
                 {.name = "b", .model = small_model()}},
                {.port = 0, .layout = {1, 1}, .open_model = [](const std::string&) { return small_model(); }});
  HttpClient client(server.port());
  const auto streams = [&](const std::string& name) {
    return json::parse(client.get("/v2/models/" + name + "/config").body)["instance_group"][0]["count"];
  };
  EXPECT_EQ(streams("a"), 2);
  EXPECT_EQ(streams("b"), 1);
  EXPECT_EQ(client.post("/v2/repository/models/a/load", "{}").status, 200);
  EXPECT_EQ(streams("a"), 2);
  EXPECT_EQ(client.post("/v2/models/a/detect", picture_file()).status, 200);  // streams are free: nothing waits
}

}  // namespace
}  // namespace effdet::server
