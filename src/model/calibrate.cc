// Runs a graph on synthetic images and sets each batch norm's statistics to those of its input.
#include "model/calibrate.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/op.h"

namespace effdet::model {
namespace {

struct Moments {
  double mean = 0, variance = 0;
};

/// Over batch, height and width of an [n, c, h, w] tensor.
Moments channel_moments(const Tensor& x, int64_t channel) {
  const int64_t batch = x.dim(0), channels = x.dim(1), area = x.dim(2) * x.dim(3);
  const double count = static_cast<double>(batch * area);
  const auto each = [&](auto&& f) {
    for (int64_t n = 0; n < batch; ++n)
      for (float value :
           x.data<float>().subspan(static_cast<size_t>((n * channels + channel) * area), static_cast<size_t>(area)))
        f(static_cast<double>(value));
  };
  Moments moments;
  each([&](double value) { moments.mean += value; });
  moments.mean /= count;
  each([&](double value) { moments.variance += (value - moments.mean) * (value - moments.mean); });
  moments.variance /= count;
  return moments;
}

/// Quiet channels count as louder, and all as a bit louder, so that other images are not blown up.
void set_statistics(ir::Graph& graph, const ir::Node& node, const Tensor& x) {
  const auto mean = graph.value(node.inputs[3]).constant->mutable_data<float>();
  const auto variance = graph.value(node.inputs[4]).constant->mutable_data<float>();
  double mean_variance = 0;
  for (size_t c = 0; c < mean.size(); ++c) {
    const Moments moments = channel_moments(x, static_cast<int64_t>(c));
    mean[c] = static_cast<float>(moments.mean);
    variance[c] = static_cast<float>(moments.variance);
    mean_variance += moments.variance / static_cast<double>(mean.size());
  }
  for (float& v : variance) v = std::max(v, static_cast<float>(mean_variance / 2)) * 1.5f;
}

}  // namespace

std::vector<Tensor> calibrate_batch_norms(ir::Graph& graph, const Tensor& input, ThreadPool* threads) {
  std::vector<Tensor> tensors(graph.value_count());
  std::vector<int> reads_left(graph.value_count());
  for (const ir::Node& node : graph.nodes)
    for (ir::ValueId id : node.inputs) ++reads_left[static_cast<size_t>(id)];
  for (ir::ValueId id : graph.outputs) ++reads_left[static_cast<size_t>(id)];
  tensors[static_cast<size_t>(graph.inputs.at(0))] = input;

  const auto tensor = [&](ir::ValueId id) -> const Tensor* {
    const Tensor* constant = graph.constant(id);
    return constant != nullptr ? constant : &tensors[static_cast<size_t>(id)];
  };
  for (const ir::Node& node : graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(tensor(id));
    if (node.is("BatchNormalization")) set_statistics(graph, node, *inputs[0]);
    std::vector<Tensor> results = ops::evaluate_node(node, graph.opset, inputs, threads);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      tensors[static_cast<size_t>(node.outputs[i])] = std::move(results.at(i));
    for (ir::ValueId id : node.inputs)
      if (--reads_left[static_cast<size_t>(id)] == 0) tensors[static_cast<size_t>(id)] = Tensor();
  }
  std::vector<Tensor> outputs;
  for (ir::ValueId id : graph.outputs) outputs.push_back(*tensor(id));
  return outputs;
}

double standard_deviation(std::span<const Tensor> tensors) {
  double count = 0, sum = 0, squares = 0;
  for (const Tensor& tensor : tensors) {
    count += static_cast<double>(tensor.numel());
    for (float value : tensor.data<float>()) {
      sum += value;
      squares += static_cast<double>(value) * value;
    }
  }
  return std::sqrt(std::max(squares / count - sum / count * (sum / count), 0.0));
}

}  // namespace effdet::model
