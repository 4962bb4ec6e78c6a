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

double TimedRunner::milliseconds() {
  const auto start = Clock::now();
  runner_.run(input_spans_, outputs_.outputs());
  return milliseconds_since(start);
}

TimedRounds run_rounds(const CompiledModel& model, const RoundOptions& options) {
  Streams streams(model, options.layout);
  std::deque<TimedRunner> runners;
  for (int i = 0; i < streams.layout().streams; ++i) {
    runners.emplace_back(streams.runner(i), model, options.zeros);
    for (int run = 0; run < options.warm_up; ++run) runners.back().milliseconds();
  }
  TimedRounds rounds{streams.layout(), std::vector<double>(static_cast<size_t>(options.rounds))};
  std::mutex mutex;
  const auto start = Clock::now();
  streams.for_each(rounds.milliseconds.size(), [&](size_t round, int stream) {
    const double cost = rounds.milliseconds[round] = runners[static_cast<size_t>(stream)].milliseconds();
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress(static_cast<int>(round), cost);
  });
  rounds.total = milliseconds_since(start);
  return rounds;
}

}  // namespace effdet::cli
