// Something happens at a chosen moment of a command's work: it is killed or interrupted, or another process changes
// what it reads.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

#include "faults/commands.h"
#include "faults/expectations.h"
#include "faults/injection.h"

namespace effdet::faults {
namespace {

namespace fs = std::filesystem;

/// Runs task(command, fault) at the first and the last of some calls that each command makes.
template <typename Task>
void at_moments(std::initializer_list<const char*> names, const std::string& deed, Task task) {
  for (const char* name : names)
    for (const char* call : {"open", "write", "rename"})
      for (const long number : spread(count_calls(command(name), call), 2 * many()))
        task(command(name), Fault{call, deed, number, false});
}

TEST(Moments, Case08_KilledAndRunAgain) {
  at_moments({"pth2onnx", "external", "benchmark"}, "signal " + std::to_string(SIGKILL),
             [](const Command& command, const Fault& fault) {
               const Workplace place;
               place.put_old_outputs(command);
               EXPECT_EQ(run(with_fault(place.start(command), fault)).signal, SIGKILL) << text_of(fault);
               Files files = place.outputs();
               std::erase_if(files, [&](const auto& file) { return !command.outputs.contains(file.first); });
               EXPECT_EQ(files.size(), command.outputs.size()) << command.name << ", " << text_of(fault);
               expect_same(command, place, run(place.start(command)), "after " + text_of(fault));  // nothing else stays
             });
}

TEST(Moments, Case09_InterruptedInEachPhase) {
  for (const int signal : {SIGINT, SIGTERM})
    at_moments({"validate", "detect", "benchmark"}, "signal " + std::to_string(signal),
               [&](const Command& command, const Fault& fault) {
                 const Workplace place;
                 place.put_old_outputs(command);
                 const Outcome outcome = run(with_fault(place.start(command), fault));
                 EXPECT_TRUE(outcome.code == 128 + signal || outcome.code == 0)
                     << command.name << ", " << text_of(fault) << ": " << outcome.code << " " << outcome.error;
                 expect_whole_files(command, place, text_of(fault), outcome.code == 0);
                 expect_resumes(command, place, text_of(fault));
               });
}

struct Moment {
  const Command* command;
  Fault fault;
};

/// EFFDET_FAULTS_COMMANDS names some of the commands, with commas; absent: all.
bool is_chosen(const Command& command) {
  const char* given = std::getenv("EFFDET_FAULTS_COMMANDS");
  return given == nullptr || ("," + std::string(given) + ",").find("," + command.name + ",") != std::string::npos;
}

/// Moments of each command that writes, at calls that touch the disk.
std::vector<Moment> random_moments(int of_each) {
  const char* given = std::getenv("EFFDET_FAULTS_SEED");
  const unsigned long seed = given == nullptr ? 1 : std::strtoul(given, nullptr, 10);
  std::mt19937_64 generator(seed);
  std::vector<Moment> moments;
  int writers = 0;
  for (const Command& command : commands()) {
    if (command.outputs.empty() || !is_chosen(command)) continue;
    std::vector<const char*> calls = {"open", "write", "fsync", "rename", "close"};
    std::erase_if(calls, [&](const char* call) { return count_calls(command, call) == 0; });
    ++writers;
    for (int i = 0; i < of_each; ++i) {
      const char* call = calls[generator() % calls.size()];
      const long number = 1 + static_cast<long>(generator() % static_cast<uint64_t>(count_calls(command, call)));
      moments.push_back({&command, {call, "signal " + std::to_string(SIGKILL), number, false}});
    }
  }
  std::printf("EFFDET_FAULTS_SEED=%lu: %zu moments of %d commands\n", seed, moments.size(), writers);
  return moments;
}

TEST(Moments, Case08_KilledAtRandomMomentsAndRunAgain) {
  two_at_a_time(random_moments(many() == 1 ? 2 : 20 * many()), [](const Moment& moment, size_t i) {
    const auto& [command, fault] = moment;
    const Workplace place;
    if (i % 2 == 0) place.put_old_outputs(*command);
    const Outcome killed = run(with_fault(place.start(*command), fault));
    EXPECT_TRUE(killed.signal == SIGKILL || killed.code == 0) << command->name << ", " << text_of(fault);
    expect_whole_files(*command, place, text_of(fault), killed.code == 0, /*killed=*/true);
    expect_resumes(*command, place, text_of(fault));
    if (!command->traits.new_folder.empty()) fs::remove_all(place.folder() / "out" / command->traits.new_folder);
    expect_same(*command, place, run(place.start(*command)), "after " + text_of(fault));  // nothing else stays
  });
}

/// Images, annotations and lists lie in several folders; an annotation file without some of its images would do harm.
TEST(Moments, Case08_AConversionIsWholeOrAbsent) {
  const Command& command = faults::command("convert");
  for (const int signal : {SIGKILL, SIGINT})
    for (const char* call : {"open", "write", "rename"})
      for (const long number : spread(count_calls(command, call), 3 * many())) {
        const Workplace place;
        const Fault fault{call, "signal " + std::to_string(signal), number, false};
        const Outcome outcome = run(with_fault(place.start(command), fault));
        EXPECT_TRUE(signal == SIGKILL ? outcome.signal == SIGKILL : outcome.code == 130 || outcome.code == 0)
            << text_of(fault);
        Files files = place.outputs();
        if (signal == SIGKILL) std::erase_if(files, [](const auto& file) { return !file.first.starts_with("new/"); });
        EXPECT_TRUE(files.empty() || files == command.outputs) << text_of(fault);
        if (!files.empty()) continue;
        expect_same(command, place, run(place.start(command)), "after " + text_of(fault));  // nothing else stays
      }
  for (const long number : spread(count_calls(command, "write"), 3 * many())) {
    const Workplace place;
    const Outcome outcome = run(with_fault(place.start(command), {"write", std::to_string(ENOSPC), number, true}));
    EXPECT_EQ(outcome.code, 4) << number;
    if (outcome.error.find("standard output") != std::string::npos) continue;  // what is printed in the end
    EXPECT_TRUE(place.outputs().empty()) << number;
    EXPECT_TRUE(outcome.error.find("error: out/new/") != std::string::npos) << outcome.error;  // as it was given
  }
}

void ignore(long signal) { ::signal(static_cast<int>(signal), SIG_IGN); }

TEST(Moments, Case09_IgnoredSignalsChangeNothing) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Workplace place;
    Start start = with_fault(place.start(command("validate")), {"read", "signal " + std::to_string(signal), 1, true});
    start.limit = ignore;
    start.limit_argument = signal;
    expect_same(command("validate"), place, run(start), "signal " + std::to_string(signal));
  }
}

struct Input {
  const char *command, *file;  ///< what a command reads
};
constexpr Input kInputs[] = {{"pth2onnx", "d0.pth"},
                             {"onnxsim", "m.onnx"},
                             {"atc", "s.onnx"},
                             {"preprocess", "data/annotations/instances_val2017.json"},
                             {"benchmark", "m.om"},
                             {"detect", "m.om"},
                             {"benchmark", "bin/000000000003.bin"},
                             {"postprocess", "result/dumpOutput_device0/000000000002_3.bin"}};

/// Another process does something to an input at several moments; task(command, place, outcome, what).
template <typename Task>
void change_inputs(const std::string& deed, Task task) {
  for (const auto& [name, input] : kInputs)
    for (const auto& [call, most] : {std::pair("open", 3), {"mmap", 2}})
      for (const long number : spread(count_calls(command(name), call), most * many())) {
        const Workplace place;
        const fs::path file = place.own_input(input);
        fs::copy_file(file, file.string() + ".new");
        const Fault fault{call, deed, number, false, file.string()};
        const Outcome outcome = run(with_fault(place.start(command(name)), fault));
        if (fs::exists(file.string() + ".new"))  // the input is whole again for a run that goes on
          fs::rename(file.string() + ".new", file);
        task(command(name), place, outcome, text_of(fault) + " to " + input);
      }
}

TEST(Moments, Case12_InputsAreCutMeanwhile) {
  change_inputs("shrink",
                [](const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what) {
                  expect_orderly(command, place, outcome, what, {0, 2, 3, 4});
                });
}

TEST(Moments, Case12_InputsAreDeletedMeanwhile) {
  change_inputs("delete",
                [](const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what) {
                  expect_orderly(command, place, outcome, what, {0, 2, 3, 4});
                });
}

TEST(Moments, Case12_ReplacedInputsAreReadWhole) {
  change_inputs("replace", [](const Command& command, const Workplace& place, const Outcome& outcome,
                              const std::string& what) { expect_same(command, place, outcome, what); });
}

}  // namespace
}  // namespace effdet::faults
