// Calls to the C library that fail, one at a time, all over the pipeline.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <initializer_list>
#include <thread>

#include "faults/commands.h"
#include "faults/injection.h"

namespace effdet::faults {
namespace {

struct Case {
  const Command* command;
  Fault fault;
};

/// Two at a time. Every other case begins with the files of an earlier run.
void run_cases(const std::vector<Case>& cases) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++) < cases.size();) {
      const auto& [command, fault] = cases[i];
      const Workplace place;
      if (i % 2 == 0) place.put_old_outputs(*command);
      expect_orderly(*command, place, run(with_fault(place.start(*command), fault)), text_of(fault));
    }
  };
  const std::jthread other(work);
  work();
}

/// Of the calls that each command makes, `most` fail, one a run.
void expect_orderly_everywhere(const char* call, int error, int most, std::initializer_list<bool> every) {
  std::vector<Case> cases;
  for (const Command& command : commands())
    for (const long number : spread(count_calls(command, call), most))
      for (const bool later : every) cases.push_back({&command, {call, std::to_string(error), number, later}});
  run_cases(cases);
}

TEST(Injected, Case01_AllocationsFail) { expect_orderly_everywhere("malloc", ENOMEM, 12, {false, true}); }
TEST(Injected, Case02_MapFails) { expect_orderly_everywhere("mmap", ENOMEM, 3, {false}); }
TEST(Injected, Case03_FullDevice) { expect_orderly_everywhere("write", ENOSPC, 4, {true}); }
TEST(Injected, Case04_WritesFail) { expect_orderly_everywhere("write", EIO, 4, {false}); }
TEST(Injected, Case04_ReadsFail) { expect_orderly_everywhere("read", EIO, 4, {false}); }
TEST(Injected, Case04_SyncFails) { expect_orderly_everywhere("fsync", EIO, 3, {false}); }
TEST(Injected, Case04_CloseFails) { expect_orderly_everywhere("close", EIO, 4, {false}); }
TEST(Injected, Case04_RenameFails) { expect_orderly_everywhere("rename", EIO, 3, {false}); }
TEST(Injected, Case06_NoDescriptorIsLeft) { expect_orderly_everywhere("open", EMFILE, 4, {true}); }
TEST(Injected, Case07_NoPermission) { expect_orderly_everywhere("open", EACCES, 3, {false}); }
TEST(Injected, Case13_ThreadsAreRefused) { expect_orderly_everywhere("thread", EAGAIN, 4, {false, true}); }

TEST(Injected, Case05_ShortCallsAndInterruptsChangeNothing) {
  for (const Command& command : commands())
    for (const char* call : {"read", "write"})
      for (const char* error : {"short", "interrupt"}) {
        const Workplace place;
        const Fault fault{call, error};
        expect_same(command, place, run(with_fault(place.start(command), fault)), text_of(fault));
      }
}

}  // namespace
}  // namespace effdet::faults
