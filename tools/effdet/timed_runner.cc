#include "timed_runner.h"

#include <chrono>

#include "effdet/streams.h"

namespace effdet::cli {
TimedRunner::TimedRunner(const CompiledModel& model, int threads) : runner_(model, threads) {
  for (const size_t bytes : runner_.input_bytes()) inputs_.push_back(made_up_input(bytes / sizeof(float)));
  for (const size_t bytes : runner_.output_bytes()) outputs_.emplace_back(bytes);
  for (const auto& input : inputs_) input_spans_.push_back(std::as_bytes(std::span(input)));
  for (auto& output : outputs_) output_spans_.emplace_back(output);
}

double TimedRunner::milliseconds() {
  const auto start = std::chrono::steady_clock::now();
  runner_.run(input_spans_, output_spans_);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace effdet::cli
