// The handler of SIGBUS, and the table that it looks into.
#include "server/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "server/http_error.h"

namespace effdet::server {
namespace {

/// Guarded memory; end is 0 in a slot that is free.
struct GuardedRange {
  uintptr_t begin = 0, end = 0;
  bool lost = false;
};

constexpr size_t kMostGuards = 256;
GuardedRange guarded[kMostGuards];
struct sigaction earlier_action;
uintptr_t page_bytes;

/// Of the table. The handler takes it, too: a thread that holds it touches no guarded memory.
std::atomic_flag is_locked = ATOMIC_FLAG_INIT;
class TableLock {
 public:
  TableLock() {
    while (is_locked.test_and_set(std::memory_order_acquire)) continue;
  }
  ~TableLock() { is_locked.clear(std::memory_order_release); }
  TableLock(const TableLock&) = delete;
  TableLock& operator=(const TableLock&) = delete;
};

/// Puts zeros from the missing page to the end of the guarded memory. False: the address is nobody's.
bool replace_pages(uintptr_t address) {
  const TableLock lock;
  for (GuardedRange& range : guarded) {
    if (address < range.begin || address >= range.end) continue;
    const uintptr_t page = address & ~(page_bytes - 1);
    void* placed = ::mmap(reinterpret_cast<void*>(page), range.end - page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    range.lost = true;
    return placed != MAP_FAILED;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const bool is_access = info->si_code == BUS_ADRERR;  // not one that another process sent
  if (is_access && replace_pages(reinterpret_cast<uintptr_t>(info->si_addr))) {
    errno = saved;
    return;
  }
  if ((earlier_action.sa_flags & SA_SIGINFO) != 0) return earlier_action.sa_sigaction(signal, info, context);
  if (earlier_action.sa_handler != SIG_DFL && earlier_action.sa_handler != SIG_IGN)
    return earlier_action.sa_handler(signal);
  // The default action, when the access is repeated or the signal is sent once more.
  ::sigaction(SIGBUS, &earlier_action, nullptr);
  if (!is_access) ::raise(SIGBUS);
  errno = saved;
}

void install_handler() {
  [[maybe_unused]] static const bool is_installed = [] {
    page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, &earlier_action) == 0;
  }();
}

}  // namespace

BusGuard::BusGuard(std::span<std::byte> memory) {
  install_handler();
  const auto begin = reinterpret_cast<uintptr_t>(memory.data());
  const TableLock lock;
  for (slot_ = 0; slot_ < kMostGuards && guarded[slot_].end != 0; ++slot_) continue;
  if (slot_ == kMostGuards)
    throw HttpError(503, "{} regions of shared memory are registered, and no more can be", kMostGuards);
  guarded[slot_] = {begin, begin + memory.size(), false};
}

BusGuard::~BusGuard() {
  const TableLock lock;
  guarded[slot_] = {};
}

bool BusGuard::has_lost() const {
  const TableLock lock;
  return guarded[slot_].lost;
}

}  // namespace effdet::server
