// Calls to the C library that fail, one at a time, all over the pipeline.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <initializer_list>

#include "faults/commands.h"
#include "faults/expectations.h"
#include "faults/injection.h"

namespace effdet::faults {
namespace {

struct Case {
  const Command* command;
  Fault fault;
};

/// Every other case begins with the files of an earlier run.
void run_cases(const std::vector<Case>& cases) {
  std::printf("%zu cases\n", cases.size());
  two_at_a_time(cases, [](const Case& injected, size_t i) {
    const auto& [command, fault] = injected;
    const Workplace place;
    if (i % 2 == 0) place.put_old_outputs(*command);
    expect_orderly(*command, place, run(with_fault(place.start(*command), fault)), text_of(fault));
  });
}

/// Of the calls that each command makes, about `usual` fail, one a run.
void expect_orderly_everywhere(const char* call, int error, int usual, std::initializer_list<bool> every) {
  std::vector<Case> cases;
  for (const Command& command : commands())
    for (const long number : spread(count_calls(command, call), share(command, usual)))
      for (const bool later : every) cases.push_back({&command, {call, std::to_string(error), number, later}});
  run_cases(cases);
}

TEST(Injected, Case01_AllocationsFail) { expect_orderly_everywhere("malloc", ENOMEM, 8, {false, true}); }
TEST(Injected, Case02_MapFails) { expect_orderly_everywhere("mmap", ENOMEM, 3, {false}); }
TEST(Injected, Case03_FullDevice) { expect_orderly_everywhere("write", ENOSPC, 4, {true}); }
TEST(Injected, Case04_WritesFail) { expect_orderly_everywhere("write", EIO, 4, {false}); }
TEST(Injected, Case04_ReadsFail) { expect_orderly_everywhere("read", EIO, 4, {false}); }
/// Of a folder that is read in part there must be no data set, and nothing may be taken for an empty one.
TEST(Injected, Case04_EveryReadOfAConversionFails) {
  std::vector<Case> cases;
  for (const char* name : {"convert", "convert from VOC"})
    for (long number = 1; number <= count_calls(command(name), "read"); ++number)
      cases.push_back({&command(name), {"read", std::to_string(EIO), number, false}});
  run_cases(cases);
}

TEST(Injected, Case04_AFolderThatCannotBeListedIsNotTakenForAnEmptyOne) {
  for (const char* call : {"read", "open"})
    for (long number = 1; number <= 20; ++number) {
      const Workplace place;
      const std::filesystem::path own = place.folder() / "out/new/mine";
      std::filesystem::create_directories(own);
      const Fault fault{call, std::to_string(EIO), number};
      const Outcome outcome = run(with_fault(place.start(command("convert")), fault));
      EXPECT_TRUE(std::filesystem::exists(own)) << text_of(fault);
      EXPECT_TRUE(outcome.code == 2 || outcome.code == 4) << text_of(fault) << ": " << outcome.error;
    }
}

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
