// Chosen calls to the C library that fail, or at which something happens (fault_shim.cc).
#pragma once

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "faults/commands.h"

namespace effdet::faults {

struct Fault {
  const char* call;
  std::string deed;  ///< as FAULT_DEED takes it
  long number = 0;
  bool every = false;
  std::string file = {};  ///< as FAULT_FILE takes it
};

/// For messages.
std::string text_of(const Fault& fault);

Start with_fault(Start start, const Fault& fault);

/// How many calls of each kind a process has made so far: what it writes as FAULT_COUNT_FILE.
class CallCounts {
 public:
  CallCounts() = default;
  explicit CallCounts(const std::filesystem::path& file);
  long of(const std::string& call) const;

 private:
  std::vector<long> counts_;
};

/// How many such calls a command makes: counted once, all of them in one run.
long count_calls(const Command& command, const std::string& call);

/// How many times as many cases as usual: EFFDET_FAULTS_MANY, or 1.
int many();

/// How many of a command's calls of a kind fail where `usual` of most commands do.
int share(const Command& command, int usual);

/// Calls task(cases[i], i) for all of them, two at a time.
template <typename Case, typename Task>
void two_at_a_time(const std::vector<Case>& cases, Task task) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++) < cases.size();) task(cases[i], i);
  };
  const std::jthread other(work);
  work();
}

/// `most` of 1 to count: all where these are few, else a geometric choice that has the first and the last.
std::set<long> spread(long count, int most);

}  // namespace effdet::faults
