// The process's log handler. Whoever sets another one waits for calls of the old one.
#include "base/log.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "base/error.h"

namespace effdet {
namespace {

/// Never destroyed: threads may run on while the process ends.
struct Sink {
  std::shared_mutex mutex;
  LogHandler handler;
};
Sink& sink() {
  static Sink& all = *new Sink;
  return all;
}
std::atomic<bool> has_handler = false;
thread_local bool is_in_handler = false;

}  // namespace

bool base::is_logged() noexcept { return has_handler.load(std::memory_order_acquire) && !is_in_handler; }

void base::log_line(LogLevel level, std::string_view text) noexcept {
  if (!is_logged()) return;
  is_in_handler = true;
  try {
    const std::shared_lock lock(sink().mutex);
    if (sink().handler) sink().handler(level, text);
  } catch (...) {
  }
  is_in_handler = false;
}

void set_log_handler(LogHandler next) {
  if (is_in_handler) fail(ErrorCode::kUsage, "the log's handler cannot be changed from within it");
  const std::unique_lock lock(sink().mutex);
  has_handler.store(static_cast<bool>(next), std::memory_order_release);
  std::swap(sink().handler, next);
}

}  // namespace effdet
