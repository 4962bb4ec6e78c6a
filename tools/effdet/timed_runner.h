// Measuring a model on made-up input.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "effdet/compiled_model.h"

namespace effdet::cli {

/// A runner with memory for its inputs and outputs.
class TimedRunner {
 public:
  explicit TimedRunner(const CompiledModel& model, int threads);

  /// Runs once and says how long that took.
  double milliseconds();
  int threads() const { return runner_.threads(); }
  /// As Runner::on_step.
  void on_step(std::function<void(size_t step, double seconds)> callback) { runner_.on_step(std::move(callback)); }

 private:
  Runner runner_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> input_spans_;
  std::vector<std::span<std::byte>> output_spans_;
};

}  // namespace effdet::cli
