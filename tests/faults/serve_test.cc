// effdet serve where calls to the C library fail: it answers rightly, refuses or closes, goes on, and ends in order.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "faults/commands.h"
#include "faults/injection.h"
#include "server/http_client_test_util.h"
#include "support/shell.h"

namespace effdet::faults {
namespace {

using server::HttpClient, server::Reply;

constexpr std::chrono::seconds kLong{60}, kShort{1};  // for an answer

/// A server in a folder of its own, at a socket of the file system.
class Served {
 public:
  explicit Served(const Fault& fault) : process_(start(fault)) {}

  /// Waits until it takes connections; false: it has ended before.
  bool starts() const {
    while (process_.runs()) {
      if (test::contains(test::content(place_.folder().string() + ".stdout"), "ready on")) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  bool runs() const { return process_.runs(); }
  std::string socket() const { return place_.folder() / "socket"; }
  CallCounts counts() const { return CallCounts(place_.folder() / "count"); }
  Outcome stop() {
    process_.send(SIGTERM);
    return process_.wait();
  }
  Outcome wait() { return process_.wait(); }

 private:
  Start start(const Fault& fault) const {
    Start start = with_fault({.arguments = {"effdet", "serve", "d0=in/m.om", "--unix-socket", "socket", "--allow-load",
                                            "--shared-memory", "--log-format", "none"},
                              .folder = place_.folder()},
                             fault);
    start.environment["FAULT_COUNT_FILE"] = place_.folder() / "count";
    return start;
  }

  const Workplace place_;
  Process process_;
};

struct Request {
  std::string line, body = {}, fields = {};
};

/// A picture, tensors, a model loaded anew; some compressed, some refused.
std::vector<Request> requests() {
  const Workplace place;
  const std::string picture = test::content(place.folder() / "in/data/val2017/000000000001.jpg");
  const std::string tensor = test::content(place.folder() / "in/bin/000000000001.bin");
  const auto infer = [&](const nlohmann::json& parameters) {
    const nlohmann::json input = {{"name", "x.1"},
                                  {"shape", {1, 3, 128, 128}},
                                  {"datatype", "FP32"},
                                  {"parameters", {{"binary_data_size", tensor.size()}}}};
    return nlohmann::json{{"inputs", {input}}, {"parameters", parameters}}.dump();
  };
  const std::string binary = infer({{"binary_data_output", true}}), text = infer(nlohmann::json::object());
  const auto length = [](const std::string& header) {
    return "Inference-Header-Content-Length: " + std::to_string(header.size()) + "\r\n";
  };
  return {
      {"GET /v2/health/ready"},
      {"GET /v2/models/d0", "", "Accept-Encoding: gzip\r\n"},
      {"POST /v2/models/d0/detect?score=0.2", picture},
      {"POST /v2/models/d0/infer", binary + tensor, length(binary)},
      {"POST /v2/models/d0/infer", text + tensor, length(text) + "Accept-Encoding: deflate\r\n"},
      {"POST /v2/repository/models/d0/load", "{}"},
      {"POST /v2/models/d0/infer", "{\"inputs\": [1"},
      {"POST /v2/systemsharedmemory/region/r/register", R"({"key": "/no_such_object", "offset": 0, "byte_size": 8})"},
      {"GET /v2/models/other"},
  };
}

/// The answer to each; status 0: the server closed the connection, or was silent for that time. Each second request
/// goes over the connection of the one before.
std::vector<Reply> converse(const std::string& socket, const std::vector<Request>& requests,
                            std::chrono::seconds patience, const std::string& what) {
  std::vector<Reply> replies;
  std::optional<HttpClient> client;
  for (const auto& [line, body, fields] : requests) {
    try {
      const bool again = replies.size() % 2 == 1 && replies.back().status != 0;
      if (!again) client.emplace(socket);
      const std::string length =
          line.starts_with("POST") ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "";
      client->wait_at_most(patience);
      client->send(line + " HTTP/1.1\r\nHost: test\r\n" + length + fields + "\r\n" + body);
      replies.push_back(client->read());
      EXPECT_FALSE(patience == kLong && client->is_silent()) << what << ": " << line;
    } catch (const std::runtime_error&) {  // nobody listens
      replies.emplace_back();
    }
  }
  return replies;
}

/// Less what is measured anew each time.
std::string lasting(const Reply& reply) {
  static const std::regex times(R"re("milliseconds":\{[^}]*\})re");
  return std::to_string(reply.status) + " " + std::regex_replace(reply.body, times, "");
}

/// A server without faults: its answers, and how many calls it had made when it was ready, and after the conversation.
struct Sound {
  std::vector<Request> asked = requests();
  std::vector<std::string> answers;
  CallCounts ready, later;

  Sound() {
    Served served({"", "0"});
    if (!served.starts()) throw std::runtime_error(served.wait().error);
    ready = served.counts();
    for (const Reply& reply : converse(served.socket(), asked, kLong, "no fault")) answers.push_back(lasting(reply));
    later = served.counts();
    const Outcome end = served.stop();
    if (end.code != 0) throw std::runtime_error("serve: " + end.error);
  }
};

const Sound& sound() {
  static const Sound known;
  return known;
}

void expect_sound_answers(const Served& served, const std::string& what) {
  const std::vector<Reply> replies = converse(served.socket(), sound().asked, kLong, what);
  for (size_t i = 0; i < replies.size(); ++i)
    EXPECT_EQ(lasting(replies[i]).substr(0, 300), sound().answers[i].substr(0, 300))
        << what << ": " << sound().asked[i].line;
}

/// An answer is the right one, says that the server cannot, or the connection is closed.
void expect_orderly_answers(const Served& served, std::chrono::seconds patience, const std::string& what) {
  const std::vector<Reply> replies = converse(served.socket(), sound().asked, patience, what);
  for (size_t i = 0; i < replies.size(); ++i) {
    const int status = replies[i].status;
    if (status == 0 || lasting(replies[i]) == sound().answers[i]) continue;
    if (status == 400 && test::contains(replies[i].body, "could not be loaded; the server's log says why")) continue;
    EXPECT_TRUE(status == 500 || status == 503) << what << ": " << sound().asked[i].line << ": " << lasting(replies[i]);
    EXPECT_TRUE(nlohmann::json::parse(replies[i].body).contains("error")) << what << ": " << replies[i].body;
  }
}

bool answers(const Served& served) {
  return converse(served.socket(), {{"GET /v2/health/live"}}, kLong, "at the end")[0].status == 200;
}

void expect_orderly_end(const Outcome& end, const std::string& what, bool can_fail) {
  EXPECT_FALSE(end.hung) << what;
  EXPECT_TRUE(end.code == 0 || (can_fail && (end.code == 4 || end.code == 7)))
      << what << ": code " << end.code << ", signal " << end.signal << ": " << end.error;
  EXPECT_EQ(end.code > 0, test::contains(end.error, ": error: ")) << what << ": " << end.error;
}

/// Some of the calls that a server makes between two counts.
std::vector<Fault> spread_faults(const char* call, int error, long from, long to, int usual, bool every) {
  std::vector<Fault> faults;
  for (const long number : spread(to - from, usual * many()))
    faults.push_back({call, std::to_string(error), from + number, every});
  return faults;
}

/// Of the calls that a server makes before it is ready and during a conversation, some fail, one in a run. It goes on
/// in that share of the runs at least, and in the others ends in order.
void expect_goes_on(const char* call, int error, int usual, double share = 1) {
  const long ready = sound().ready.of(call), later = sound().later.of(call);
  std::vector<Fault> faults = spread_faults(call, error, 0, ready, usual, false);
  std::ranges::copy(spread_faults(call, error, ready, later, usual, false), std::back_inserter(faults));
  std::printf("%zu cases\n", faults.size());
  ASSERT_FALSE(faults.empty());
  std::atomic<size_t> ended{0};
  two_at_a_time(faults, [&](const Fault& fault, size_t) {
    const std::string what = text_of(fault);
    Served served(fault);
    if (!served.starts()) return expect_orderly_end(served.wait(), what, true);
    while (served.runs() && served.counts().of(call) < fault.number) expect_orderly_answers(served, kLong, what);
    if (share < 1 && !answers(served)) return ++ended, expect_orderly_end(served.wait(), what, true);
    expect_sound_answers(served, what);
    expect_orderly_end(served.stop(), what, false);
  });
  if (ended > 0) std::printf("%zu of them ended the server\n", ended.load());
  EXPECT_LE(static_cast<double>(ended), (1 - share) * static_cast<double>(faults.size()));
}

/// The same where all later calls fail, too: the server need not be of use, nor go on, and where it cannot accept
/// connections clients wait.
void expect_ends_in_order(const char* call, int error, int usual) {
  const std::vector<Fault> faults =
      spread_faults(call, error, sound().ready.of(call), sound().later.of(call), usual, true);
  std::printf("%zu cases\n", faults.size());
  ASSERT_FALSE(faults.empty());
  two_at_a_time(faults, [&](const Fault& fault, size_t) {
    const std::string what = text_of(fault);
    Served served(fault);
    if (served.starts()) expect_orderly_answers(served, kShort, what);
    expect_orderly_end(served.runs() ? served.stop() : served.wait(), what, true);
  });
}

// One in fifty meets a function that may not throw, such as the destructor of nlohmann::json, and the server ends.
TEST(Serve, Case01_AllocationsFail) { expect_goes_on("malloc", ENOMEM, 20, 0.9); }
TEST(Serve, Case01_NoMemoryIsLeft) { expect_ends_in_order("malloc", ENOMEM, 4); }
TEST(Serve, Case02_MapFails) {
  expect_goes_on("mmap", ENOMEM, 4);
  expect_ends_in_order("mmap", ENOMEM, 2);
}
TEST(Serve, Case04_WritesFail) { expect_goes_on("write", EIO, 4); }
TEST(Serve, Case04_ConnectionsFail) {
  expect_goes_on("accept", ENOBUFS, 4);
  expect_goes_on("receive", ECONNRESET, 8);
  expect_goes_on("send", EPIPE, 8);
}
TEST(Serve, Case05_ShortCallsAndInterruptsChangeNothing) {
  for (const char* call : {"write", "accept", "receive", "send"})
    for (const char* deed : {"short", "interrupt"}) {
      const Fault fault{call, deed, 1, true};
      Served served(fault);
      ASSERT_TRUE(served.starts()) << text_of(fault) << ": " << served.wait().error;
      expect_sound_answers(served, text_of(fault));
      expect_orderly_end(served.stop(), text_of(fault), false);
    }
}
TEST(Serve, Case06_NoDescriptorIsLeft) {
  expect_goes_on("accept", EMFILE, 4);
  expect_goes_on("open", EMFILE, 4);
  expect_ends_in_order("open", EMFILE, 3);
}
TEST(Serve, Case07_NoPermission) { expect_goes_on("open", EACCES, 4); }
TEST(Serve, Case13_ThreadsAreRefused) {
  expect_goes_on("thread", EAGAIN, 4);
  expect_ends_in_order("thread", EAGAIN, 2);
}

}  // namespace
}  // namespace effdet::faults
