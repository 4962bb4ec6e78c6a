// Stops the other threads by a signal whose handler does not return.
#include "freeze.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace effdet::cli {
namespace {

DIR* threads = nullptr;
std::atomic<bool> freezing = false;
std::atomic<int> frozen = 0;

void stay(int) {
  if (!freezing) return;  // somebody else's signal
  ++frozen;
  for (;;) ::pause();
}

/// Sends the signal to all threads but this; how many there are. Those that stay have it blocked.
int call_others() {
  int others = 0;
  ::rewinddir(threads);
  while (const dirent* entry = ::readdir(threads)) {
    const pid_t thread = std::atoi(entry->d_name);  // 0: "." and ".."
    if (thread > 0 && thread != ::gettid() && ::tgkill(::getpid(), thread, SIGRTMIN) == 0) ++others;
  }
  return others;
}

}  // namespace

void prepare_to_freeze() {
  threads = ::opendir("/proc/self/task");
  struct sigaction action {};
  action.sa_handler = stay;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGRTMIN, &action, nullptr);
}

void freeze_other_threads() {
  if (threads == nullptr) return;
  freezing = true;
  // Again and again: one that still runs may have started another.
  for (int tries = 0; tries < 100 && call_others() > frozen; ++tries) ::usleep(1000);
}

}  // namespace effdet::cli
