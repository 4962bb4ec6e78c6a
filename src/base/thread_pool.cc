// Worker threads that spin before they sleep, since loops follow each other within microseconds.
#include "base/thread_pool.h"

#include <immintrin.h>
#include <sched.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace effdet::inline base {
namespace {

// Loops follow each other within microseconds in a network: spinning that long saves two context switches a layer.
constexpr int kSpins = 4000;

/// Waits until done(value): spins first, then sleeps in the kernel. Returns the value.
template <typename Done>
uint32_t wait_until(const std::atomic<uint32_t>& value, Done&& done) {
  for (int i = 0; i < kSpins; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (done(now)) return now;
    _mm_pause();
  }
  for (;;) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (done(now)) return now;
    value.wait(now, std::memory_order_acquire);
  }
}

// The gate of a loop: 16 bits of its number, a bit that says whether workers may still join, and how many have joined
// and not left. A loop ends when all that joined have left: on a busy machine nobody waits for a thread that has not
// woken up yet.
constexpr uint32_t kOpen = 1u << 15, kJoined = kOpen - 1;
constexpr uint32_t number_of(uint32_t gate) { return gate >> 16; }

}  // namespace

int default_thread_count() {
  if (const char* text = std::getenv("EFFDET_NUM_THREADS")) {
    int count = 0;
    const auto [end, code] = std::from_chars(text, text + std::strlen(text), count);
    if (code != std::errc() || *end != '\0' || count < 1 || count > 1024)
      fail(ErrorCode::kUsage, "EFFDET_NUM_THREADS is '{}', not a number from 1 to 1024", text);
    return count;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

struct ThreadPool::Team {
  std::vector<std::jthread> workers;
  std::atomic<uint32_t> gate{0};
  /// Where each thread's share of a loop begins and ends. Threads begin with their own, and then help the others: the
  /// rows of a map stay with the core that has them in its cache from one layer to the next.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  // Ends, as what follows, are written only while the gate is closed and nobody is inside.
  std::vector<Share> shares;
  const FunctionRef<void(int64_t, int)>* task = nullptr;
  bool stop = false;
  std::mutex error_mutex;
  std::exception_ptr error;

  void deal(int64_t count) {
    const int64_t each = count / static_cast<int64_t>(shares.size()),
                  more = count % static_cast<int64_t>(shares.size());
    int64_t begin = 0;
    for (size_t i = 0; i < shares.size(); ++i) {
      shares[i].next.store(begin, std::memory_order_relaxed);
      shares[i].end = begin += each + (static_cast<int64_t>(i) < more ? 1 : 0);
    }
  }

  void run_shares(int thread) {
    const size_t threads = shares.size(), own = static_cast<size_t>(thread);
    try {
      for (size_t k = 0; k < threads; ++k) {
        Share& share = shares[(own + k) % threads];
        for (int64_t i; (i = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) (*task)(i, thread);
      }
    } catch (...) {
      for (Share& share : shares) share.next.store(share.end, std::memory_order_relaxed);  // nobody need go on
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  void open() {
    const uint32_t number = (number_of(gate.load(std::memory_order_relaxed)) + 1) & 0xFFFF;
    gate.store(number << 16 | kOpen, std::memory_order_release);
    gate.notify_all();
  }

  void close_and_wait() {
    gate.fetch_and(~kOpen, std::memory_order_acq_rel);
    wait_until(gate, [](uint32_t now) { return (now & kJoined) == 0; });
  }

  void work(int thread) {
    for (uint32_t seen = 0;;) {
      uint32_t now = wait_until(gate, [&](uint32_t g) { return number_of(g) != seen && (g & kOpen) != 0; });
      if (!gate.compare_exchange_strong(now, now + 1, std::memory_order_acq_rel)) continue;
      seen = number_of(now);
      if (stop) return;
      run_shares(thread);
      gate.fetch_sub(1, std::memory_order_acq_rel);
      gate.notify_all();
    }
  }
};

ThreadPool::ThreadPool() : team_(std::make_unique<Team>()) {}

// Delegates, so that the destructor ends the threads that there are where memory runs out in between.
ThreadPool::ThreadPool(int threads) : ThreadPool() {
  try {
    for (int i = 1; i < threads; ++i) team_->workers.emplace_back([team = team_.get(), i] { team->work(i); });
  } catch (const std::system_error&) {  // a smaller team gives the same results
    log(LogLevel::kWarning, "the system refuses more than {} of {} threads", size(), threads);
  }
  team_->shares = std::vector<Team::Share>(static_cast<size_t>(size()));
}

ThreadPool::~ThreadPool() {
  team_->stop = true;
  team_->open();
}

int ThreadPool::size() const { return static_cast<int>(team_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, FunctionRef<void(int64_t, int)> task) {
  if (count <= 0) return;
  Team& team = *team_;
  if (count == 1 || team.workers.empty()) {
    for (int64_t i = 0; i < count; ++i) task(i, 0);
    return;
  }
  team.task = &task;
  team.deal(count);
  team.open();
  team.run_shares(0);
  team.close_and_wait();
  if (team.error) std::rethrow_exception(std::exchange(team.error, nullptr));
}

}  // namespace effdet::inline base
