// effdet download where calls to the C library fail: no file, or the whole one, and the next run completes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "faults/commands.h"
#include "faults/injection.h"
#include "fetch/http_server.h"
#include "support/shell.h"

namespace effdet::faults {
namespace {

namespace fs = std::filesystem;
using fetch::HttpServer;

const std::string& weights() {
  static const std::string content = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
    return text;
  }();
  return content;
}

/// Sends what is asked for of the weights, in an answer of HTTP.
HttpServer::Response answer(const HttpServer::Request& request) {
  HttpServer::Response response;
  const size_t from = request.range_start < 0 ? 0 : static_cast<size_t>(request.range_start);
  response.body = weights().substr(std::min(from, weights().size()));
  if (from == 0) return response;
  response.status = "206 Partial Content";
  response.headers = "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(weights().size() - 1) + "/" +
                     std::to_string(weights().size()) + "\r\n";
  return response;
}

Start download(const HttpServer& server, const Workplace& place) {
  return {.arguments = {"effdet", "download", "tf_efficientdet_d0", "--url", server.url("/w.pth"), "--cache", "out",
                        "--quiet"},
          .folder = place.folder()};
}

/// What it makes, by names.
Files files_of(const Workplace& place) {
  Files files;
  for (const auto& entry : fs::directory_iterator(place.folder() / "out"))
    files.emplace(entry.path().filename(), test::content(entry.path()));
  return files;
}

/// libcurl's GnuTLS prints where it finds no memory while it is loaded.
std::string without_notes_of_gnutls(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("Error in GnuTLS initialization")) rest += line + "\n";
  return rest;
}

const CallCounts& all_counts() {
  static const CallCounts counts = [] {
    const HttpServer server(answer);
    const Workplace place;
    Start start = with_fault(download(server, place), {"", "0"});
    start.environment["FAULT_COUNT_FILE"] = place.folder() / "count";
    const Outcome outcome = run(start);
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    return CallCounts(place.folder() / "count");
  }();
  return counts;
}

void expect_orderly(const Fault& fault) {
  const std::string what = text_of(fault);
  const HttpServer server(answer);
  const Workplace place;
  const Outcome outcome = run(with_fault(download(server, place), fault));
  EXPECT_FALSE(outcome.hung) << what;
  EXPECT_TRUE(outcome.code == 0 || outcome.code == 4 || outcome.code == 7)
      << what << ": code " << outcome.code << ", signal " << outcome.signal << ": " << outcome.error;
  const std::string error = without_notes_of_gnutls(outcome.error);
  EXPECT_EQ(std::ranges::count(error, '\n'), outcome.code == 0 ? 0 : 1) << what << ": " << outcome.error;
  for (const auto& [name, content] : files_of(place)) {
    EXPECT_TRUE(name == "w.pth" || name == "w.pth.part") << what << ": " << name;
    EXPECT_TRUE(name == "w.pth" ? content == weights() : weights().starts_with(content)) << what << ": " << name;
  }
  const Outcome again = run(download(server, place));
  EXPECT_EQ(again.code, 0) << what << ", then: " << again.error;
  EXPECT_EQ(files_of(place), (Files{{"w.pth", weights()}})) << what;
}

void expect_orderly_everywhere(const char* call, int error, int usual, bool every) {
  const std::set<long> numbers = spread(all_counts().of(call), usual * many());
  ASSERT_FALSE(numbers.empty());
  std::printf("%zu cases\n", numbers.size());
  two_at_a_time(std::vector<long>(numbers.begin(), numbers.end()), [&](long number, size_t) {
    expect_orderly({call, std::to_string(error), number, every});
  });
}

TEST(Download, Case01_AllocationsFail) {
  expect_orderly_everywhere("malloc", ENOMEM, 20, false);
  expect_orderly_everywhere("malloc", ENOMEM, 10, true);
}
TEST(Download, Case03_FullDevice) { expect_orderly_everywhere("write", ENOSPC, 6, true); }
TEST(Download, Case04_CallsFail) {
  expect_orderly_everywhere("write", EIO, 6, false);
  expect_orderly_everywhere("fsync", EIO, 3, false);
  expect_orderly_everywhere("close", EIO, 6, false);
  expect_orderly_everywhere("rename", EIO, 3, false);
  expect_orderly_everywhere("receive", ECONNRESET, 6, false);
  expect_orderly_everywhere("send", EPIPE, 3, false);
}
TEST(Download, Case05_ShortCallsAndInterruptsChangeNothing) {
  for (const char* call : {"write", "receive", "send"})
    for (const char* deed : {"short", "interrupt"}) {
      const HttpServer server(answer);
      const Workplace place;
      const Outcome outcome = run(with_fault(download(server, place), {call, deed, 1, true}));
      EXPECT_EQ(outcome.code, 0) << call << " " << deed << ": " << outcome.error;
      EXPECT_EQ(files_of(place), (Files{{"w.pth", weights()}})) << call << " " << deed;
    }
}
TEST(Download, Case06_NoDescriptorIsLeft) { expect_orderly_everywhere("open", EMFILE, 6, true); }
TEST(Download, Case07_NoPermission) { expect_orderly_everywhere("open", EACCES, 6, false); }
TEST(Download, Case13_ThreadsAreRefused) { expect_orderly_everywhere("thread", EAGAIN, 4, true); }

}  // namespace
}  // namespace effdet::faults
