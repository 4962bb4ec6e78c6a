// Times inferences on made-up input, after some to warm up.
#include "timed_runner.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <mutex>

#include "statistics.h"

namespace effdet::cli {

TimedRunner::TimedRunner(Runner& runner, const CompiledModel& model, bool zeros)
    : runner_(runner), outputs_(runner.output_bytes()) {
  for (const TensorInfo& input : model.inputs()) {
    inputs_.push_back(made_up_input(input));
    if (zeros) std::ranges::fill(inputs_.back(), std::byte{});
  }
  input_spans_.assign(inputs_.begin(), inputs_.end());
}

RunTimes timed_run(Runner& runner, std::span<const std::span<const std::byte>> inputs,
                   std::span<const std::span<std::byte>> outputs, size_t plan) {
  const auto start = Clock::now();
  runner.run(inputs, outputs, plan);
  const double all = milliseconds_since(start);
  const Runner::Transfers transfers = runner.last_transfers();
  const double to_device = 1000 * transfers.to_device, from_device = 1000 * transfers.from_device;
  return {all - to_device - from_device, to_device, from_device};
}

RunTimes TimedRunner::run() { return timed_run(runner_, input_spans_, outputs_.outputs()); }

TimedRounds run_rounds(const CompiledModel& model, const RoundOptions& options) {
  Streams streams(model, options.layout);
  std::deque<TimedRunner> runners;
  for (int i = 0; i < streams.layout().streams; ++i) {
    runners.emplace_back(streams.runner(i), model, options.zeros);
    for (int run = 0; run < options.warm_up; ++run) runners.back().run();
  }
  const std::vector<double> zeros(static_cast<size_t>(options.rounds));
  TimedRounds rounds{streams.layout(), zeros, zeros, zeros};
  std::mutex mutex;
  const auto start = Clock::now();
  streams.for_each(rounds.milliseconds.size(), [&](size_t round, int stream) {
    const RunTimes times = runners[static_cast<size_t>(stream)].run();
    rounds.milliseconds[round] = times.compute;
    rounds.to_device[round] = times.to_device;
    rounds.from_device[round] = times.from_device;
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress(static_cast<int>(round), times.compute);
  });
  rounds.total = milliseconds_since(start);
  return rounds;
}

}  // namespace effdet::cli
