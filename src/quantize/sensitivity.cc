// Compiles the model with each layer alone in 8 bits and compares outputs.
#include "quantize/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "compiler/compile.h"
#include "quantize/sensitive_layers.h"
#include "runtime/engine.h"

namespace effdet::quantize {
namespace {

using Outputs = std::vector<Tensor>;

/// What a class output's error counts beside one of boxes: logits that are 0.3 off cost no mAP, boxes that are 1 % off
/// do.
constexpr double kWeightOfOthers = 0.1;
/// Of outputs that are not finite any more, or lost altogether.
constexpr double kLargestError = 1e6;

/// Multiplications that all measurements together may have: a minute or a few of float32.
constexpr double kMostProducts = 6e12;
constexpr size_t kLeastSamples = 2, kLeastMeasurements = 24;

Outputs run(runtime::Session& session, const std::vector<std::byte>& sample) {
  const ir::Value& info = session.engine().input(0);
  Tensor input(info.dtype, *info.shape);
  for (size_t at = 0; at < input.byte_size(); at += sample.size())  // in every place of a batch
    std::ranges::copy(sample, input.mutable_bytes().begin() + static_cast<ptrdiff_t>(at));
  return session.run({&input, 1});
}

/// Errors of outputs that belong together.
class ErrorSum {
 public:
  void add(const Tensor& expected, const Tensor& found) {
    const Tensor expected_numbers = as_floats(expected), found_numbers = as_floats(found);
    const auto a = expected_numbers.data<float>(), b = found_numbers.data<float>();
    double sum = 0, squares = 0, count = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double x = a[i], d = x - b[i];
      if (!std::isfinite(x)) continue;
      ++count;
      sum += x;
      squares += x * x;
      error_ += d * d;
    }
    if (count > 0) variance_ += squares - sum * sum / count;
  }

  bool empty() const { return variance_ == 0 && error_ == 0; }

  double relative() const {
    const double error = variance_ > 0 ? error_ / variance_ : error_;
    return error < kLargestError ? error : kLargestError;  // of NaN too
  }

 private:
  /// Classes are int64 in models that suppress boxes themselves.
  static Tensor as_floats(const Tensor& output) {
    return output.dtype() == DType::kF32 ? output : output.to(DType::kF32);
  }

  double error_ = 0, variance_ = 0;
};

class Reference {
 public:
  Reference(const ir::Graph& graph, std::span<const std::vector<std::byte>> samples, int threads)
      : samples_(samples), threads_(threads) {
    for (const ir::ValueId id : graph.outputs) of_boxes_.push_back(is_of_boxes(graph.value(id).name));
    runtime::Session session = session_of(graph);
    for (const auto& sample : samples_) outputs_.push_back(run(session, sample));
  }

  double error_of(const ir::Graph& graph) const {
    runtime::Session session = session_of(graph);
    ErrorSum boxes, others;
    for (size_t s = 0; s < samples_.size(); ++s) {
      const Outputs found = run(session, samples_[s]);
      for (size_t i = 0; i < found.size(); ++i) (of_boxes_[i] ? boxes : others).add(outputs_[s][i], found[i]);
    }
    if (boxes.empty()) return others.relative();
    return boxes.relative() + kWeightOfOthers * others.relative();
  }

 private:
  runtime::Session session_of(const ir::Graph& graph) const {
    return {std::make_shared<runtime::Engine>(compiler::compile(graph, {})), threads_};
  }

  const std::span<const std::vector<std::byte>> samples_;
  int threads_;
  std::vector<bool> of_boxes_;  ///< by output
  std::vector<Outputs> outputs_;
};

}  // namespace

SensitivityPlan plan_sensitivity(std::span<const Layer> layers, size_t samples) {
  double products = 1;
  for (const Layer& layer : layers) products += static_cast<double>(layer.products);
  const double runs = std::min(kMostProducts / products, 1e9);
  const auto at_least = [](double number, size_t least) { return std::max(static_cast<size_t>(number), least); };
  const size_t count = std::max<size_t>(layers.size(), 1);
  SensitivityPlan plan;
  plan.samples = std::min(samples, at_least(runs / static_cast<double>(count), kLeastSamples));
  const size_t measurements =
      std::min(count, at_least(runs / static_cast<double>(std::max<size_t>(plan.samples, 1)), kLeastMeasurements));
  plan.layers_at_a_time = (count + measurements - 1) / measurements;
  return plan;
}

std::vector<double> layer_errors(const ir::Graph& graph, const Calibration& calibration, const Options& options,
                                 const Samples& samples, int threads,
                                 const std::function<void(size_t done, size_t total)>& progress) {
  const std::vector<Layer> layers = quantizable_layers(graph);
  const SensitivityPlan plan = plan_sensitivity(layers, samples.size());
  const Reference reference(graph, std::span(samples).first(plan.samples), threads);
  std::vector<double> errors;
  while (errors.size() < layers.size()) {
    const size_t begin = errors.size(), end = std::min(begin + plan.layers_at_a_time, layers.size());
    Options others = options;
    others.keep_float.clear();
    for (size_t i = 0; i < layers.size(); ++i)
      if (i < begin || i >= end) others.keep_float.push_back(layers[i].name);
    const double error = reference.error_of(quantize(graph, calibration, others));
    errors.resize(end, error / static_cast<double>(end - begin));
    if (progress) progress(errors.size(), layers.size());
  }
  return errors;
}

}  // namespace effdet::quantize
