#include "signals.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "effdet/error.h"
#include "freeze.h"
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

/// The library keeps such a file open until it has its name, so the table of open files names those of all threads.
/// Takes no memory: there may be none.
void remove_temporary_files(DIR* open_files) {
  if (open_files == nullptr) return;
  ::rewinddir(open_files);
  while (const dirent* entry = ::readdir(open_files)) {
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(::dirfd(open_files), entry->d_name, target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = '\0';
    if (is_temporary({target, static_cast<size_t>(length)})) ::unlink(target);
  }
}

/// The exit code where it is not a signal that ends the process.
std::atomic<int> error_code = 0;

void wait_for(sigset_t signals, DIR* open_files) {
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
  freeze_other_threads();  // which would begin to write more
  remove_temporary_files(open_files);
  ::_exit(error_code != 0 ? error_code.load() : 128 + signal);
}

/// For threads that cannot go on, in signal handlers too. The first says why, and the waiting thread does the rest.
[[noreturn]] void leave(ErrorCode code, std::initializer_list<std::string_view> message) {
  static std::atomic_flag taken;
  if (!taken.test_and_set()) {
    for (const std::string_view part : message) (void)!::write(STDERR_FILENO, part.data(), part.size());
    error_code = static_cast<int>(code);
    ::kill(::getpid(), SIGTERM);
  }
  for (;;) ::pause();
}

void leave_after_lost_page(const char* path) {
  leave(ErrorCode::kIo, {"effdet: error: ", path,
                         ": lost while it was read: another process made it shorter, or the disk fails; replace files "
                         "by renaming\n"});
}

/// For operator new. To throw would not do: the C++ library, CLI11 and nlohmann::json take memory in functions that are
/// noexcept, such as the step of a directory_iterator, and the exception would abort the process there.
void leave_without_memory() { leave(ErrorCode::kOutOfMemory, {"effdet: error: memory ran out\n"}); }

}  // namespace

void watch_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  // Blocked here and in every thread that starts later, so that only the waiting thread takes them: it may do what a
  // signal handler may not.
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  prepare_to_freeze();
  try {
    std::thread(wait_for, signals, ::opendir("/proc/self/fd")).detach();
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::kOutOfMemory, std::string("cannot start a thread: ") + error.what());
  }
  report_lost_pages(leave_after_lost_page);
  std::set_new_handler(leave_without_memory);
}

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);  // takes the lowest free number
}

}  // namespace effdet::cli
