// Measuring a model on made-up input.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "effdet/output_memory.h"
#include "effdet/streams.h"

namespace effdet::cli {

/// Milliseconds of one run: in the network, and of the copies to and from a device.
struct RunTimes {
  double compute = 0, to_device = 0, from_device = 0;
};
/// Runs once.
RunTimes timed_run(Runner& runner, std::span<const std::span<const std::byte>> inputs,
                   std::span<const std::span<std::byte>> outputs, size_t plan = 0);

/// A runner, which must outlive it, with memory for its inputs and outputs.
class TimedRunner {
 public:
  /// The runner's model; zeros: instead of made_up_input().
  TimedRunner(Runner& runner, const CompiledModel& model, bool zeros = false);

  RunTimes run();

 private:
  Runner& runner_;
  std::vector<std::vector<std::byte>> inputs_;
  OutputMemory outputs_;
  std::vector<std::span<const std::byte>> input_spans_;
};

struct TimedRounds {
  StreamLayout layout;                         ///< with the number of threads settled
  std::vector<double> milliseconds;            ///< of each round, in the network
  std::vector<double> to_device, from_device;  ///< of its copies
  double total = 0;                            ///< on the clock; less than their sum where there are several streams
};

struct RoundOptions {
  StreamLayout layout;
  int warm_up = 1;  ///< runs of each stream before
  int rounds = 1;   ///< of all streams together
  bool zeros = false;
  std::function<void(int round, double milliseconds)> progress;  ///< after each round, one call at a time, where set
};
TimedRounds run_rounds(const CompiledModel& model, const RoundOptions& options);

}  // namespace effdet::cli
