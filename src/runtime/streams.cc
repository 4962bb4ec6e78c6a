// Threads that take items one after the other, each with a stream of its own.
#include "runtime/streams.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace effdet::runtime {

int threads_a_stream(int threads, int streams) { return std::max(1, threads / std::max(1, streams)); }

void run_streams(size_t streams, size_t count, FunctionRef<void(size_t item, size_t stream)> task) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&](size_t stream) {
    try {
      for (size_t item; (item = next.fetch_add(1)) < count;) task(item, stream);
    } catch (...) {
      next.store(count);
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      for (size_t stream = 1; stream < std::min(streams, count); ++stream) threads.emplace_back(work, stream);
    } catch (const std::system_error&) {  // those that there are do all items
    }
    work(0);
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace effdet::runtime
