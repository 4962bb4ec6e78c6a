#include "timed_runner.h"

#include <chrono>

#include "effdet/streams.h"

namespace effdet::cli {
TimedRunner::TimedRunner(const CompiledModel& model, int threads) : runner_(model, threads) {
  // Bytes of the same for a model that takes pictures.
  for (const size_t bytes : runner_.input_bytes()) inputs_.push_back(made_up_input((bytes + 3) / sizeof(float)));
  for (const size_t bytes : runner_.output_bytes()) outputs_.emplace_back(bytes);
  for (size_t i = 0; i < inputs_.size(); ++i)
    input_spans_.push_back(std::as_bytes(std::span(inputs_[i])).first(runner_.input_bytes()[i]));
  for (auto& output : outputs_) output_spans_.emplace_back(output);
}

double TimedRunner::milliseconds() {
  const auto start = std::chrono::steady_clock::now();
  runner_.run(input_spans_, output_spans_);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace effdet::cli
