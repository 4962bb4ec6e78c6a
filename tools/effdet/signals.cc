#include "signals.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <string>
#include <string_view>
#include <thread>

#include "effdet/error.h"
#include "lost_page.h"

namespace effdet::cli {
namespace {

/// Whether a name is "<target>.<our pid>.<number>.tmp", as the library calls a file while it writes it.
bool is_temporary(std::string_view name) {
  constexpr std::string_view kEnd = ".tmp";
  if (!name.ends_with(kEnd)) return false;
  name.remove_suffix(kEnd.size());
  const size_t dot = name.find_last_not_of("0123456789");
  if (dot == std::string_view::npos || dot + 1 == name.size()) return false;
  return name.substr(0, dot + 1).ends_with("." + std::to_string(::getpid()) + ".");
}

/// The library keeps such a file open until it is whole, so the table of open files names those of all threads.
void remove_temporary_files() {
  const std::string folder = "/proc/self/fd";
  DIR* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    char target[PATH_MAX];
    const ssize_t length = ::readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = '\0';
    if (is_temporary({target, static_cast<size_t>(length)})) ::unlink(target);
  }
  ::closedir(entries);
}

std::atomic<bool> has_lost_page = false;

void wait_for(sigset_t signals) {
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
  remove_temporary_files();
  ::_exit(has_lost_page ? static_cast<int>(ErrorCode::kIo) : 128 + signal);
}

/// For a signal handler: the waiting thread does the rest.
void leave_after_lost_page() {
  has_lost_page = true;
  ::kill(::getpid(), SIGTERM);
  for (;;) ::pause();
}

}  // namespace

void watch_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  // Blocked here and in every thread that starts later, so that only the waiting thread takes them: it may do what a
  // signal handler may not.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for, signals).detach();
  report_lost_pages(leave_after_lost_page);
}

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);  // takes the lowest free number
}

}  // namespace effdet::cli
