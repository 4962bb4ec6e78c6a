// Programs as processes of their own: with an environment, limits, a deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace effdet::faults {

struct Start {
  std::vector<std::string> arguments;                   ///< the first is a name in EFFDET_BIN
  std::filesystem::path folder;                         ///< to run in
  std::map<std::string, std::string> environment = {};  ///< beside the test's own; an empty value unsets a variable
  void (*limit)(long) = nullptr;                        ///< called in the new process; system calls alone
  long limit_argument = 0;
};

struct Outcome {
  int code = -1;  ///< exit code; -1 for a process that a signal ended or that did not end in time
  bool hung = false;
  int signal = 0;
  uint64_t peak_memory = 0;  ///< bytes that were resident at a time
  std::string out, error;
};

class Process {
 public:
  /// What it prints goes to files beside the folder.
  explicit Process(const Start& start);
  /// Kills it where nobody has waited for it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  /// False: it has ended; wait() tells how.
  bool runs() const;
  /// Waits for its end; kills it after the deadline, which is for what hangs: on a busy disk one sync takes many
  /// seconds.
  Outcome wait(std::chrono::seconds deadline = std::chrono::seconds(120));

 private:
  pid_t pid_ = -1;
  std::string out_, error_;
};

inline Outcome run(const Start& start) { return Process(start).wait(); }

}  // namespace effdet::faults
