// Standard output that nobody reads, or that is full, under every command.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "faults/commands.h"
#include "faults/expectations.h"

namespace effdet::faults {
namespace {

void print_to_full_device(long) { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); }

void print_to_closed_pipe(long) {
  int ends[2];
  if (::pipe(ends) != 0) ::_exit(126);
  ::close(ends[0]);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
}

TEST(Printed, Case10_FullStandardOutput) {
  for (const Command& command : commands()) {
    const Workplace place;
    Start start = place.start(command);
    start.limit = print_to_full_device;
    expect_orderly(command, place, run(start), "with a full standard output", {0, 4});
  }
}

TEST(Printed, Case10_ClosedStandardOutput) {
  for (const Command& command : commands()) {
    const Workplace place;
    Start start = place.start(command);
    start.limit = print_to_closed_pipe;
    const Outcome outcome = run(start);
    const std::string what = "with a closed pipe";
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 128 + SIGPIPE || outcome.signal == SIGPIPE)
        << command.name << ": " << outcome.code << " " << outcome.error;
    EXPECT_EQ(outcome.error.find(": error: "), std::string::npos) << command.name << ": " << outcome.error;
    expect_whole_files(command, place, what, outcome.code == 0);
    expect_resumes(command, place, what);
  }
}

}  // namespace
}  // namespace effdet::faults
