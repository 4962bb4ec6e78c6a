// Less of the machine than usual: memory, descriptors, threads, cores.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include "faults/commands.h"
#include "faults/expectations.h"

namespace effdet::faults {
namespace {

void limit_memory(long mebibytes) {
  const rlimit limit{static_cast<rlim_t>(mebibytes) << 20, static_cast<rlim_t>(mebibytes) << 20};
  ::setrlimit(RLIMIT_AS, &limit);
}

void limit_descriptors(long number) {
  const rlimit limit{static_cast<rlim_t>(number), static_cast<rlim_t>(number)};
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void use_one_core(long) {
  cpu_set_t usable, one;
  ::sched_getaffinity(0, sizeof usable, &usable);
  int core = 0;
  while (!CPU_ISSET(core, &usable)) ++core;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

/// Whether the process gets as far as main().
bool starts_under(void (*limit)(long), long argument) {
  const Workplace place;
  return run({{"effdet", "--version"}, place.folder(), {}, limit, argument}).code == 0;
}

/// Runs commands under each of the limits, every other time with the files of an earlier run in place. The least limits
/// must be too narrow.
void expect_orderly_under(void (*limit)(long), std::vector<long> arguments, const std::vector<const char*>& names) {
  std::erase_if(arguments, [&](long argument) { return !starts_under(limit, argument); });
  int refused = 0, runs = 0;
  for (const long argument : arguments) {
    for (const char* name : names) {
      const Workplace place;
      if (runs++ % 2 == 0) place.put_old_outputs(command(name));
      Start start = place.start(command(name));
      start.limit = limit;
      start.limit_argument = argument;
      const Outcome outcome = run(start);
      refused += outcome.code != 0;
      expect_orderly(command(name), place, outcome, "under the limit " + std::to_string(argument));
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, runs);
}

TEST(Limits, Case02_AddressSpace) {
  expect_orderly_under(limit_memory, {32, 48, 56, 64, 80, 96, 128, 256, 1024},
                       {"pth2onnx", "onnxsim", "atc", "preprocess", "benchmark", "validate", "detect"});
}

TEST(Limits, Case06_Descriptors) {
  expect_orderly_under(limit_descriptors, {4, 5, 6, 8, 12},
                       {"pth2onnx", "onnxsim", "atc", "preprocess", "benchmark", "postprocess", "validate", "detect"});
}

TEST(Limits, Case13_ManyThreadsAndOneCoreChangeNothing) {
  for (const char* name : {"onnxsim", "preprocess", "benchmark", "validate"}) {
    const Workplace many, one, both;
    Start start = many.start(command(name));
    start.environment = {{"EFFDET_NUM_THREADS", "256"}};
    expect_same(command(name), many, run(start), "256 threads");
    start.folder = both.folder();
    start.limit = use_one_core;
    expect_same(command(name), both, run(start), "256 threads on one core");
    start.folder = one.folder();
    start.environment = {};
    expect_same(command(name), one, run(start), "one core");
  }
}

}  // namespace
}  // namespace effdet::faults
