// Finds the maps between linear layers, and moves factors of channels from one layer to the other.
#include "quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ops/op.h"
#include "passes/rewrite.h"
#include "quantize/calibrate.h"
#include "quantize/layers.h"

namespace effdet::quantize {
namespace {

/// Images that peaks are taken from: factors need not be exact.
constexpr size_t kImages = 32;
/// A channel counts as no smaller than that part of the largest, in peaks and in weights.
constexpr double kSmallestPart = 1e-3;

/// A map between two linear layers, by the nodes that make and read it.
struct Joint {
  ir::ValueId map;
  size_t producer, reader;
};

/// Joints by the weights of the reader: layers that share these share factors too, and so go on sharing weights.
using Joints = std::map<ir::ValueId, std::vector<Joint>>;

Joints find_joints(const ir::Graph& graph) {
  const LayerGraph layers(graph);
  std::set<int> convolutions;
  for (const LayerNode& one : layers.layers())
    if (one.layer.weights > 0) convolutions.insert(static_cast<int>(one.node));
  Joints joints;
  for (const LayerNode& one : layers.layers()) {
    const ir::Node& reader = graph.nodes[one.node];
    if (one.layer.weights == 0 || (one.layer.op == kConv && reader.get_int("group", 1) != 1)) continue;
    const ir::ValueId map = one.inputs[0];
    const int producer = layers.uses().producer(map);
    if (!convolutions.contains(producer) || layers.uses().sole_reader(map) < 0) continue;
    joints[reader.inputs[1]].push_back({map, static_cast<size_t>(producer), one.node});
  }
  return joints;
}

double largest(const std::vector<double>& values) { return *std::ranges::max_element(values); }

/// Numbers of each channel of a convolution's input: the root of the sum of its weights' squares.
std::vector<double> input_weights(const Tensor& weights, bool depthwise) {
  const auto outputs = static_cast<size_t>(weights.dim(0)), inputs = static_cast<size_t>(weights.dim(1));
  const size_t places = static_cast<size_t>(weights.numel()) / (outputs * inputs);
  std::vector<double> sums(depthwise ? outputs : inputs);
  const auto values = weights.data<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = depthwise ? i / places : i / places % inputs;
    sums[channel] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  for (double& sum : sums) sum = std::sqrt(sum);
  return sums;
}

/// What each channel is divided by; the largest is 1. Empty where the map, or the weights, are all zeros.
std::vector<float> factors_of(const std::vector<double>& peaks, const std::vector<double>& weights) {
  const double peak = largest(peaks), weight = largest(weights);
  if (peak <= 0 || weight <= 0) return {};
  std::vector<double> factors(peaks.size());
  for (size_t c = 0; c < peaks.size(); ++c)
    factors[c] = std::sqrt(std::max(peaks[c] / peak, kSmallestPart) / std::max(weights[c] / weight, kSmallestPart));
  const double whole = largest(factors);
  std::vector<float> result;
  for (const double factor : factors) result.push_back(static_cast<float>(factor / whole));
  return result;
}

class Equalizer {
 public:
  Equalizer(const ir::Graph& graph, const Calibration& calibration)
      : calibration_(calibration), graph_(graph), names_(graph_) {}

  ir::Graph run(const Joints& joints) {
    for (const auto& [weights, group] : joints) scale(weights, group);
    graph_.compact();
    ops::infer_shapes(graph_);
    ir::verify(graph_);
    return std::move(graph_);
  }

 private:
  void scale(ir::ValueId weight_id, const std::vector<Joint>& group) {
    const Tensor weights = *graph_.constant(weight_id);
    const bool depthwise = graph_.nodes[group[0].reader].get_int("group", 1) != 1;
    std::vector<double> peaks;
    for (const Joint& joint : group) {
      const std::vector<double>& own = calibration_.maps.at(graph_.value(joint.map).name).channel_peaks;
      peaks.resize(own.size());
      const double peak = largest(own);
      for (size_t c = 0; c < own.size() && peak > 0; ++c) peaks[c] = std::max(peaks[c], own[c] / peak);
    }
    const std::vector<float> factors = factors_of(peaks, input_weights(weights, depthwise));
    if (factors.empty()) return;
    const ir::ValueId scaled =
        add_constant(graph_.value(weight_id).name, multiplied(weights, factors, depthwise ? 0 : 1));
    std::vector<float> inverse;
    for (const float factor : factors) inverse.push_back(1 / factor);
    for (const Joint& joint : group) {
      graph_.nodes[joint.reader].inputs[1] = scaled;
      scale_outputs(graph_.nodes[joint.producer], inverse);
    }
  }

  /// Weights and bias of a convolution, each output channel by its factor.
  void scale_outputs(ir::Node& conv, std::span<const float> factors) {
    for (size_t i = 1; i < conv.inputs.size(); ++i) {
      const Tensor* constant = graph_.constant(conv.inputs[i]);
      if (constant == nullptr) continue;  // no bias
      conv.inputs[i] = add_constant(graph_.value(conv.inputs[i]).name, multiplied(*constant, factors, 0));
    }
  }

  /// Each slice along an axis by its factor.
  static Tensor multiplied(const Tensor& tensor, std::span<const float> factors, size_t axis) {
    Tensor result(DType::kF32, tensor.shape());
    const auto from = tensor.data<float>();
    const auto to = result.mutable_data<float>();
    size_t inner = 1;
    for (size_t i = axis + 1; i < tensor.rank(); ++i) inner *= static_cast<size_t>(tensor.dim(i));
    for (size_t i = 0; i < from.size(); ++i) to[i] = from[i] * factors[i / inner % factors.size()];
    return result;
  }

  ir::ValueId add_constant(const std::string& name, Tensor tensor) {
    return graph_.add_constant(names_.make(name + "_equalized"), std::move(tensor));
  }

  const Calibration& calibration_;
  ir::Graph graph_;
  passes::UniqueNames names_;
};

}  // namespace

ir::Graph equalize(const ir::Graph& graph, InputSource source, const CalibrationOptions& options) {
  const Joints joints = find_joints(graph);
  std::set<std::string> maps;
  for (const auto& [weights, group] : joints)
    for (const Joint& joint : group) maps.insert(graph.value(joint.map).name);
  if (maps.empty()) return graph;
  const auto some = [&](size_t index, std::span<std::byte> input, std::string& name) {
    return index < kImages && source(index, input, name);
  };
  return Equalizer(graph, calibrate_maps(graph, maps, some, options)).run(joints);
}

}  // namespace effdet::quantize
