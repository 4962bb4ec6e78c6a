#include "timed_runner.h"

#include <chrono>
#include <deque>
#include <mutex>

#include "statistics.h"

namespace effdet::cli {

TimedRunner::TimedRunner(Runner& runner, bool zeros) : runner_(runner), outputs_(runner.output_bytes()) {
  for (const size_t bytes : runner_.input_bytes()) {
    const size_t count = (bytes + sizeof(float) - 1) / sizeof(float);  // a model of pictures takes their bytes
    inputs_.push_back(zeros ? std::vector<float>(count) : made_up_input(count));
  }
  for (size_t i = 0; i < inputs_.size(); ++i)
    input_spans_.push_back(std::as_bytes(std::span(inputs_[i])).first(runner_.input_bytes()[i]));
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
    runners.emplace_back(streams.runner(i), options.zeros);
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
