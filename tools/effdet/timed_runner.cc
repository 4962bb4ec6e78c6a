#include "timed_runner.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace effdet::cli {
namespace {

/// Values in [-2, 2), about what a normalised picture has: zeros would make some operators faster than they are.
std::vector<float> made_up_input(size_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 22) - 2.0f;
  }
  return values;
}

}  // namespace

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

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace effdet::cli
