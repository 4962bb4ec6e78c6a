// Compiles the model with each layer alone in 8 bits and compares outputs.
#include "quantize/sensitivity.h"

#include <algorithm>
#include <memory>

#include "compiler/compile.h"
#include "runtime/engine.h"

namespace effdet::quantize {
namespace {

using Outputs = std::vector<Tensor>;

Outputs run(runtime::Session& session, const std::vector<std::byte>& sample) {
  const ir::Value& info = session.engine().input(0);
  Tensor input(info.dtype, *info.shape);
  for (size_t at = 0; at < input.byte_size(); at += sample.size())  // in every place of a batch
    std::ranges::copy(sample, input.mutable_bytes().begin() + static_cast<ptrdiff_t>(at));
  return session.run({&input, 1});
}

/// Sum of squares of what differs from the mean, and from the other tensor.
double relative_error(const Tensor& expected, const Tensor& found) {
  const Tensor expected_numbers = expected.to(DType::kF32), found_numbers = found.to(DType::kF32);  // classes are int64
  const auto a = expected_numbers.data<float>(), b = found_numbers.data<float>();
  double sum = 0, squares = 0, error = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], d = x - b[i];
    sum += x;
    squares += x * x;
    error += d * d;
  }
  const double variance = squares - sum * sum / static_cast<double>(a.size());
  return variance > 0 ? error / variance : error;
}

class Reference {
 public:
  Reference(const ir::Graph& graph, const Samples& samples, int threads) : samples_(samples), threads_(threads) {
    runtime::Session session = session_of(graph);
    for (const auto& sample : samples) outputs_.push_back(run(session, sample));
  }

  double error_of(const ir::Graph& graph) const {
    runtime::Session session = session_of(graph);
    double sum = 0;
    size_t count = 0;
    for (size_t s = 0; s < samples_.size(); ++s) {
      const Outputs found = run(session, samples_[s]);
      for (size_t i = 0; i < found.size(); ++i, ++count) sum += relative_error(outputs_[s][i], found[i]);
    }
    return count > 0 ? sum / static_cast<double>(count) : 0;
  }

 private:
  runtime::Session session_of(const ir::Graph& graph) const {
    return {std::make_shared<runtime::Engine>(compiler::compile(graph, {})), threads_};
  }

  const Samples& samples_;
  int threads_;
  std::vector<Outputs> outputs_;
};

}  // namespace

std::vector<double> layer_errors(const ir::Graph& graph, const Calibration& calibration, const Options& options,
                                 const Samples& samples, int threads,
                                 const std::function<void(size_t done, size_t total)>& progress) {
  const Reference reference(graph, samples, threads);
  const std::vector<Layer> layers = quantizable_layers(graph);
  std::vector<double> errors;
  for (const Layer& alone : layers) {
    Options others = options;
    others.keep_float.clear();
    for (const Layer& layer : layers)
      if (layer.name != alone.name) others.keep_float.push_back(layer.name);
    errors.push_back(reference.error_of(quantize(graph, calibration, others)));
    if (progress) progress(errors.size(), layers.size());
  }
  return errors;
}

}  // namespace effdet::quantize
