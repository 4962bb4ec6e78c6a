// Installs handlers that ask a run to stop, or remove unfinished files and leave.
#include "signals.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "effdet/error.h"
#include "effdet/output_file.h"
#include "freeze.h"
#include "lost_page.h"
#include "status_line.h"
#include "temporary_folder.h"

namespace effdet::cli {
namespace {

/// The library keeps an unfinished file open until it has its name, so the table of open files names those of all
/// threads. One that is only read is somebody else's. Takes no memory: there may be none.
void remove_temporary_files(DIR* open_files) {
  if (open_files == nullptr) return;
  ::rewinddir(open_files);
  while (const dirent* entry = ::readdir(open_files)) {
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(::dirfd(open_files), entry->d_name, target, sizeof target - 1);
    if (length <= 0) continue;
    target[length] = '\0';
    const bool is_written = (::fcntl(std::atoi(entry->d_name), F_GETFL) & O_ACCMODE) != O_RDONLY;
    if (is_written && is_unfinished_output({target, static_cast<size_t>(length)})) ::unlink(target);
  }
}

/// The exit code where it is not a signal from outside that ends the process.
std::atomic<int> error_code = 0;

/// Tells the waiting thread of an error_code. No other program sends it, and SIGTERM may be one that is ignored.
int leave_signal() { return SIGRTMIN + 1; }

/// What ends the process, but for signals that it was started to ignore: those of the terminal under nohup and in the
/// background jobs of a script.
sigset_t ending_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, leave_signal());
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) ::sigaddset(&signals, signal);
  }
  return signals;
}

void say(std::initializer_list<std::string_view> message) {
  erase_status_line();
  for (const std::string_view part : message) (void)!::write(STDERR_FILENO, part.data(), part.size());
}

/// Whether a StopRequest lives, whether a signal asked it to stop, and which.
std::atomic<bool> can_finish = false, stop_requested = false;
std::atomic<int> stop_signal = 0;

/// Whether a signal is only a request, which is noted.
bool takes_request(int signal) {
  if (signal == SIGXCPU || signal == leave_signal() || !can_finish || stop_requested) return false;
  stop_signal = signal;
  stop_requested = true;
  return true;
}

void wait_for(sigset_t signals, DIR* open_files) {
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0 || takes_request(signal)) {
  }
  if (signal == SIGXCPU) say({"effdet: error: the limit of processor time (ulimit -t) is reached\n"});
  freeze_other_threads();  // which would begin to write more
  remove_temporary_files(open_files);
  remove_temporary_folder();
  erase_status_line();
  ::_exit(error_code != 0 ? error_code.load() : 128 + signal);
}

/// For threads that cannot go on, in signal handlers too. The first says why, and the waiting thread does the rest.
[[noreturn]] void leave(ErrorCode code, std::initializer_list<std::string_view> message) {
  static std::atomic_flag taken;
  if (!taken.test_and_set()) {
    say(message);
    error_code = static_cast<int>(code);
    ::kill(::getpid(), leave_signal());
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

thread_local bool memory_ran_out = false;
std::terminate_handler usual_end = std::abort;

void throw_bad_alloc() {
  memory_ran_out = true;
  throw std::bad_alloc();
}

[[noreturn]] void leave_for_uncaught_exception() {
  // Where a destructor threw, the exception has not been caught, and nobody can say what it is.
  bool is_memory = memory_ran_out;
  try {
    if (const std::exception_ptr uncaught = std::current_exception()) std::rethrow_exception(uncaught);
  } catch (const std::bad_alloc&) {
    is_memory = true;
  } catch (...) {
    is_memory = false;
  }
  if (is_memory) leave_without_memory();
  usual_end();  // of faults of the program
  std::abort();
}

}  // namespace

void watch_signals() {
  // Errors of the write that caused them, as of any other.
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
  const sigset_t signals = ending_signals();
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

StopRequest::StopRequest() {
  stop_requested = false;
  can_finish = true;
}

StopRequest::~StopRequest() { can_finish = false; }

const std::atomic<bool>& StopRequest::flag() const { return stop_requested; }

int StopRequest::exit_code() const { return 128 + stop_signal; }

std::string StopRequest::name() const {
  const char* name = ::sigabbrev_np(stop_signal);
  return std::string("SIG") + (name != nullptr ? name : "");
}

MemoryErrorsAreThrown::MemoryErrorsAreThrown() {
  usual_end = std::set_terminate(leave_for_uncaught_exception);
  std::set_new_handler(throw_bad_alloc);
}

MemoryErrorsAreThrown::~MemoryErrorsAreThrown() {
  std::set_new_handler(leave_without_memory);
  std::set_terminate(usual_end);
}

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(descriptor, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);  // takes the lowest free number
}

}  // namespace effdet::cli
