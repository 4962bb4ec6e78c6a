// The log's handler: what reaches it, from threads and from within.
#include "base/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace effdet::inline base {
namespace {

class Log : public testing::Test {
 protected:
  ~Log() override { set_log_handler({}); }
};

TEST_F(Log, GoesToTheHandlerThatIsSet) {
  std::vector<std::string> lines;
  log(LogLevel::kWarning, "nobody listens");
  set_log_handler([&](LogLevel level, std::string_view text) {
    lines.push_back(fmt::format("{} {}", static_cast<int>(level), text));
  });
  log(LogLevel::kWarning, "{} pictures", 3);
  log(LogLevel::kDebug, "more");
  set_log_handler({});
  log(LogLevel::kWarning, "too late");
  EXPECT_EQ(lines, (std::vector<std::string>{"2 3 pictures", "0 more"}));
  EXPECT_FALSE(is_logged());
}

TEST_F(Log, HandlersMayThrowAndUseTheLibrary) {
  int calls = 0;
  bool refused = false;
  set_log_handler([&](LogLevel, std::string_view) {
    ++calls;
    log(LogLevel::kWarning, "from within");
    try {
      set_log_handler({});
    } catch (const Error& error) {
      refused = error.code() == ErrorCode::kUsage;
    }
    throw std::runtime_error("lost");
  });
  log(LogLevel::kInfo, "one");
  log(LogLevel::kInfo, "two");
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(refused);
}

TEST_F(Log, TheFormerHandlerIsDoneWhenAnotherIsSet) {
  std::atomic<bool> stop = false, is_gone = false;
  std::atomic<int> late = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!stop) log(LogLevel::kDebug, "line");
    });
  for (int i = 0; i < 200; ++i) {
    is_gone = false;
    set_log_handler([&](LogLevel, std::string_view) { late += is_gone ? 1 : 0; });
    set_log_handler({});
    is_gone = true;
  }
  stop = true;
  threads.clear();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace effdet::inline base
