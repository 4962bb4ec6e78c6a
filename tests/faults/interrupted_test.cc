// Signals at any time, and two runs at once.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "faults/commands.h"
#include "faults/expectations.h"
#include "faults/injection.h"

namespace effdet::faults {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNames[] = {"pth2onnx", "atc", "benchmark", "validate", "detect", "scenes"};

std::chrono::duration<double> time_of(const Command& command) {
  const Workplace place;
  const auto start = Clock::now();
  run(place.start(command));
  return Clock::now() - start;
}

/// Runs a command and sends it a signal somewhere on its way; task(place, outcome) looks at what is left.
template <typename Task>
void signal_at_any_time(int signal, int times, Task task) {
  std::mt19937 generator(1);
  for (const char* name : kNames) {
    const auto whole = time_of(command(name));
    std::uniform_real_distribution<double> part(0.1, 1.0);
    for (int i = 0; i < times; ++i) {
      const Workplace place;
      place.put_old_outputs(command(name));
      Process process(place.start(command(name)));
      std::this_thread::sleep_for(whole * part(generator));
      process.send(signal);
      task(command(name), place, process);
    }
  }
}

/// Only files that are whole, old, or not named as an output.
void expect_no_mixed_output(const Command& command, const Workplace& place) {
  const Files files = place.outputs();
  for (const auto& [name, content] : command.outputs) {
    const auto file = files.find(name);
    ASSERT_NE(file, files.end()) << command.name << ": " << name << " is gone";
    const bool old = file->second.size() < 32;
    EXPECT_TRUE(old || file->second == content || is_of_some_images(command, name, file->second))
        << command.name << ": " << name;
  }
}

TEST(Interrupted, Case08_KilledAtAnyTime) {
  signal_at_any_time(SIGKILL, 2 * many(), [](const Command& command, const Workplace& place, Process& process) {
    process.wait();
    expect_no_mixed_output(command, place);
    expect_resumes(command, place, "SIGKILL");
    expect_same(command, place, run(place.start(command)), "run again");  // and no temporary file stays
  });
}

TEST(Interrupted, Case09_TerminatedAtAnyTime) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    signal_at_any_time(signal, 2 * many(), [signal](const Command& command, const Workplace& place, Process& process) {
      process.send(signal);  // twice
      const Outcome outcome = process.wait();
      // Ended by the signal itself: it came before main().
      EXPECT_TRUE(outcome.code == 0 || outcome.code == 128 + signal || outcome.signal == signal)
          << command.name << " " << outcome.code;
      const bool says_of_which_images = outcome.error.find(": stopped by SIG") != std::string::npos;
      EXPECT_TRUE(outcome.error.empty() || says_of_which_images) << command.name << outcome.error;
      expect_no_mixed_output(command, place);
      expect_resumes(command, place, "a signal");
      EXPECT_EQ(place.outputs().size(), command.outputs.size()) << command.name << ": a part was left behind";
    });
}

TEST(Interrupted, Case11_StoppedAndContinued) {
  signal_at_any_time(SIGSTOP, 2 * many(), [](const Command& command, const Workplace& place, Process& process) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    process.send(SIGCONT);
    expect_same(command, place, process.wait(), "stopped and continued");
  });
}

TEST(Interrupted, Case16_TwoRunsIntoOneFolder) {
  for (const Command& command : commands()) {
    const Workplace place;
    Process first(place.start(command)), second(place.start(command));
    const Outcome one = first.wait(), other = second.wait();
    for (const Outcome* outcome : {&one, &other}) {
      if (outcome->code != 2) {
        expect_same(command, place, *outcome, "one of two");
      } else {  // a journal is of one run, and a new folder is not made over another
        const bool is_new_folder = !command.traits.new_folder.empty();
        EXPECT_NE(outcome->error.find(is_new_folder ? "is not empty" : "another process writes it now"),
                  std::string::npos)
            << outcome->error;
      }
    }
    EXPECT_TRUE(one.code == 0 || other.code == 0) << command.name;
  }
}

}  // namespace
}  // namespace effdet::faults
