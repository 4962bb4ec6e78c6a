// Connections that end, wait or speak otherwise than most do, and places to listen at.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "effdet/error.h"
#include "effdet/server.h"
#include "server/server_requests_test_util.h"
#include "support/test_folder.h"

namespace effdet::server {
namespace {

/// What a server logs of its requests.
class RequestLog {
 public:
  ServerOptions options(ServerOptions options = {}) {
    options.on_request = [this](const ServedRequest& request) {
      const std::lock_guard lock(mutex_);
      all_.push_back(request);
    };
    return options;
  }
  std::vector<ServedRequest> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::vector<ServedRequest> all_;
};

std::string head_of(const std::string& fields, const char* version = "1.1") {
  return std::string("POST /v2/models/d0/detect HTTP/") + version + "\r\nHost: t\r\n" + fields + "\r\n";
}

TEST(OddConnections, IdentifiersOfRequestsAndTraces) {
  RequestLog log;
  TestServer server(log.options());
  HttpClient client(server.port());
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  client.get("/v2", "traceparent: " + trace + "\r\nX-Request-Id: " + std::string(128, 'i') + "\r\n");
  const Reply reply = client.get("/v2", "traceparent: a b\r\nX-Request-Id: a\"b\r\n");
  EXPECT_TRUE(reply.fields.at("x-request-id").starts_with("effdet-"));
  server->stop();
  EXPECT_TRUE(server->wait());
  ASSERT_EQ(log.all().size(), 2u);
  EXPECT_EQ(log.all()[0].traceparent, trace);
  EXPECT_EQ(log.all()[0].id, std::string(128, 'i'));
  EXPECT_EQ(log.all()[1].traceparent, "");
}

TEST(OddConnections, Http10KeepsAConnectionWhereItIsAskedTo) {
  TestServer server;
  const std::string file = picture_file();
  HttpClient client(server.port());
  client.send("GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read().fields.at("connection"), "keep-alive");
  // An expectation means nothing in HTTP/1.0.
  client.send(head_of("Expect: 100-continue\r\nContent-Length: " + std::to_string(file.size()) + "\r\n", "1.0") + file);
  const Reply reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.fields.at("connection"), "close");
  EXPECT_TRUE(client.ends());
  HttpClient empty(server.port());  // nor where nothing is to come
  empty.send(head_of("Expect: 100-continue\r\nContent-Length: 0\r\n"));
  expect_error(empty.read(), 400);
}

TEST(BadInput, Case93_HostsAndChunks) {
  TestServer server({.body_seconds = 0.3});
  HttpClient hosts(server.port());
  hosts.send("GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  const Reply reply = hosts.read();
  expect_error(reply, 400);
  EXPECT_EQ(error_of(reply), "the request has no Host, or several");
  const std::string chunked = head_of("Transfer-Encoding: chunked\r\n");
  for (const char* chunk : {"x\r\n", "-1\r\n", "5\r\nabcdefgh\r\n", "ffffffffffffffffff\r\n"}) {
    HttpClient client(server.port());
    client.send(chunked + chunk);
    const Reply refused = client.read();
    EXPECT_EQ(refused.status, 400) << chunk << refused.body;
    EXPECT_TRUE(client.ends()) << chunk;
  }
  HttpClient slow(server.port());
  slow.send(chunked + "5\r\nabc");
  expect_error(slow.read(), 408);
}

TEST(BadInput, Case94_BodiesBeyondMemoryInOnePiece) {
  TestServer server({.most_memory = 1000});
  const std::string body(2000, 'x');
  for (const std::string& request : {head_of("Content-Length: 2000\r\n") + body,
                                     head_of("Transfer-Encoding: chunked\r\n") + "7d0\r\n" + body + "\r\n0\r\n\r\n"}) {
    HttpClient client(server.port());
    client.send(request);
    const Reply reply = client.read();
    expect_error(reply, 503);
    EXPECT_EQ(error_of(reply), "the server's memory for requests is used up: try again later");
  }
}

TEST(OddConnections, ClientsThatLeaveWithinARequest) {
  TestServer server;
  for (const char* cut : {"", "GET /v2 HT", "GET /v2 HTTP/1.1\r\nHost: t\r\n"}) {
    HttpClient client(server.port());
    client.send(cut);
    client.end();
    EXPECT_TRUE(client.ends()) << cut;
  }
  for (const char* fields : {"Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"}) {
    HttpClient client(server.port());
    client.send(head_of(fields) + "5\r\nab");
    client.end();
    EXPECT_TRUE(client.ends()) << fields;
  }
  EXPECT_EQ(HttpClient(server.port()).get("/readyz").body, "ok\n");
}

TEST(OddConnections, MoreThanAreAllowedAreClosed) {
  TestServer server({.most_connections = 1});
  HttpClient first(server.port());
  EXPECT_EQ(first.get("/v2").status, 200);
  HttpClient second(server.port());
  EXPECT_TRUE(second.ends());
  EXPECT_EQ(first.get("/v2").status, 200);
}

TEST(OddConnections, WaitForADescriptorWhereNoneIsLeft) {
  TestServer server;
  EXPECT_EQ(HttpClient(server.port()).get("/readyz").status, 200);
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit one{static_cast<rlim_t>(next) + 1, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one), 0);
  HttpClient client(server.port());  // takes the last one, and the server finds none for its end
  client.send("GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_EQ(client.read().body, "ok\n");
}

TEST(OddConnections, AServerThatIsAboutToEndTakesNoNewWork) {
  TestServer server;
  HttpClient idle(server.port());
  std::vector<std::pair<std::string, std::string>> requests = {
      {"GET /readyz HTTP/1.1\r\nHo", "st: t\r\n\r\n"},
      {"GET /v2/health/ready HTTP/1.1\r\nHo", "st: t\r\n\r\n"},
      {"POST /v2/models/d0/infer HTTP/1.1\r\nHo", "st: t\r\nContent-Length: 0\r\n\r\n"}};
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const auto& [begin, rest] : requests) {
    clients.push_back(std::make_unique<HttpClient>(server.port()));
    // The pipelined first request's answer tells that the server has what follows.
    clients.back()->send("GET /v2 HTTP/1.1\r\nHost: t\r\n\r\n" + begin);
    EXPECT_EQ(clients.back()->read().status, 200);
  }
  EXPECT_EQ(idle.get("/v2").status, 200);
  server->stop();
  EXPECT_TRUE(idle.ends());
  for (size_t i = 0; i < clients.size(); ++i) clients[i]->send(requests[i].second);
  const Reply text = clients[0]->read(), ready = clients[1]->read(), work = clients[2]->read();
  EXPECT_EQ(text.status, 503);
  EXPECT_EQ(text.body, "not ready\n");
  EXPECT_EQ(text.fields.at("retry-after"), "1");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, "{\"ready\":false}\n");
  EXPECT_EQ(error_of(work), "the server is about to end");
  EXPECT_TRUE(server->wait());
}

TEST(OddConnections, WaitingForTheEndHasALimit) {
  TestServer server({.drain_seconds = 0.2});
  HttpClient client(server.port());
  client.send(head_of("Expect: 100-continue\r\nContent-Length: 1000\r\n"));
  EXPECT_EQ(client.read().status, 100);
  server->stop();
  EXPECT_FALSE(server->wait());  // the body never came
  EXPECT_TRUE(client.ends());
}

std::string start_refusal(const ServerOptions& options, const std::string& name = "d0") {
  try {
    const Server server({{name, small_model()}}, options);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kUsage) << error.what();
    return error.what();
  }
  return "none";
}

TEST(OddConnections, PlacesAndNamesThatAreNone) {
  EXPECT_EQ(start_refusal({.port = 65536}), "port 65536: expected 0 to 65535");
  EXPECT_EQ(start_refusal({.port = -1}), "port -1: expected 0 to 65535");
  EXPECT_EQ(start_refusal({.port = 0, .layout = {0, 1}}), "a model needs one stream at least");
  const std::string path = "/tmp/" + std::string(103, 's');
  EXPECT_EQ(start_refusal({.unix_socket = path}), path + ": longer than the path of a socket may be");
  for (const std::string& name : {std::string("."), std::string(".."), std::string("a b"), std::string(129, 'n')})
    EXPECT_EQ(start_refusal({.port = 0}, name),
              "model name '" + name + "': expected letters, digits, '_', '-' and '.'");
  EXPECT_EQ(start_refusal({.host = "localhost", .port = 0}, std::string(125, 'n') + "Z.-"), "none");
}

/// A socket of the file system that nobody listens on.
int socket_at(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

TEST(OddConnections, ASocketThatNobodyListensOnIsTakenOver) {
  const test::TestFolder folder("server");
  const std::string path = folder.path() / "socket";
  ::close(socket_at(path));  // as of a server that was killed
  Server server({{"d0", small_model()}}, {.unix_socket = path, .layout = {1, 1}});
  EXPECT_EQ(HttpClient(path).get("/readyz").body, "ok\n");
}

TEST(OddConnections, SocketsOfOtherFamiliesThatListenAlready) {
  const test::TestFolder folder("server");
  const std::string path = folder.path() / "socket";
  const int local = socket_at(path);
  ASSERT_EQ(::listen(local, 10), 0);
  Server by_path({{"d0", small_model()}}, {.listening_socket = local, .layout = {1, 1}});
  EXPECT_EQ(by_path.port(), 0);
  EXPECT_EQ(HttpClient(path).get("/readyz").body, "ok\n");

  const int six = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_addr = in6addr_any;
  if (six < 0 || ::bind(six, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) GTEST_SKIP() << "no IPv6 here";
  ASSERT_EQ(::listen(six, 10), 0);
  Server server({{"d0", small_model()}}, {.listening_socket = six, .layout = {1, 1}});
  EXPECT_EQ(HttpClient(server.port()).get("/readyz").body, "ok\n");
}

}  // namespace
}  // namespace effdet::server
