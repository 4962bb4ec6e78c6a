// What happens on Ctrl-C, kill, a reader of our output that goes away, an input file that another process cuts, and
// memory that runs out.
#pragma once

#include <atomic>
#include <string>

namespace effdet::cli {

/// From now on SIGINT, SIGTERM, SIGHUP and SIGXCPU remove the files that are being written and end the process at once
/// with exit code 128 + signal, unless the process was started to ignore them; a closed pipe and a file that may not
/// grow (ulimit -f) are errors of the write and no signals. A mapped file that is cut ends the process the same way,
/// with an error that names the file and exit code 4, and so does memory that runs out in operator new, with exit code
/// 7. Call it before any thread starts. Throws Error(kOutOfMemory) where the system refuses a thread.
void watch_signals();

/// While it lives, the first SIGINT, SIGTERM or SIGHUP does not end the process but asks it to finish, so that what was
/// computed can be written; the second one ends it at once. One at a time.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  /// For code that knows nothing of signals.
  const std::atomic<bool>& flag() const;
  bool requested() const { return flag(); }
  /// 128 + the signal. Precondition: requested(), as for name().
  int exit_code() const;
  /// "SIGINT"
  std::string name() const;
};

/// While it lives operator new throws where memory runs out, for a command that answers others and goes on. Where
/// nothing catches the exception, the process ends as it would have at once, with exit code 7. One at a time.
class MemoryErrorsAreThrown {
 public:
  MemoryErrorsAreThrown();
  ~MemoryErrorsAreThrown();
  MemoryErrorsAreThrown(const MemoryErrorsAreThrown&) = delete;
  MemoryErrorsAreThrown& operator=(const MemoryErrorsAreThrown&) = delete;
};

/// Gives standard input, output and error that the parent closed an open /dev/null: otherwise the next file that is
/// opened would take the number, and what is printed would land in it.
void open_standard_streams();

}  // namespace effdet::cli
