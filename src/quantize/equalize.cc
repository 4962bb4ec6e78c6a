// Finds the maps between linear layers, and moves factors of channels from one layer to the other.
#include "quantize/equalize.h"

#include <algorithm>
#include <set>

#include "ops/op.h"
#include "ops/resize.h"
#include "passes/rewrite.h"
#include "quantize/calibrate.h"
#include "quantize/layers.h"

namespace effdet::quantize {
namespace {

/// A channel counts as no smaller than that part of the largest.
constexpr double kSmallestPeak = 1e-3;
/// Codes of a gated map that a code of the gate's input may become at most: with more, channels do not get finer, for
/// they have the input's steps.
constexpr double kMostGateSteps = 4;

/// A map times a vector that has a number for each channel.
struct Gate {
  size_t node = 0;
  size_t vector = 0;  ///< which input that is; the other one is the map
};

/// Maps whose channels are scaled by the same factors, and the nodes that make and read them.
struct Group {
  std::vector<ir::ValueId> maps;     ///< whose peaks count
  std::vector<size_t> convolutions;  ///< that make maps of the group
  std::vector<Gate> gates;           ///< that do, too
  std::vector<size_t> readers;       ///< convolutions
};

/// Activations that make of a channel in another scale the same channel in that scale. Those with a limit do not: the
/// limit would have to be another one for each channel.
bool is_scale_free(const ir::Node& node) { return node.is("Relu") || node.is("LeakyRelu"); }

/// Finds maps between linear operators: what makes them can make each channel smaller, and all that read them can take
/// that back. Sums, pools and scale-free activations stand between such maps, which have one factor then; so have the
/// maps of layers that share their weights, and go on sharing them.
class Grouping {
 public:
  explicit Grouping(const ir::Graph& graph) : graph_(graph), layers_(graph), leader_(graph.value_count()) {
    for (size_t i = 0; i < leader_.size(); ++i) leader_[i] = static_cast<ir::ValueId>(i);
    for (const LayerNode& one : layers_.layers()) {
      if (one.layer.op == kGate) gates_.insert(static_cast<int>(one.node));
      if (one.layer.weights > 0) convolutions_.insert(static_cast<int>(one.node));
    }
  }

  std::vector<Group> run() {
    std::map<ir::ValueId, ir::ValueId> by_weights;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const ir::Node& node = graph_.nodes[i];
      if (passes_scale(node)) {
        for (const ir::ValueId id : node.inputs)
          if (is_map(id)) join(id, node.outputs[0]);
      } else if (is_dense(static_cast<int>(i))) {
        join(node.inputs[0], by_weights.try_emplace(node.inputs[1], node.inputs[0]).first->second);
      }
    }
    std::map<ir::ValueId, Group> groups;
    std::set<ir::ValueId> refused;
    for (size_t i = 0; i < leader_.size(); ++i) {
      const auto id = static_cast<ir::ValueId>(i);
      if (is_map(id) && !add(id, groups[leader(id)])) refused.insert(leader(id));
    }
    std::vector<Group> result;
    for (auto& [id, group] : groups) {
      const bool dense = std::ranges::any_of(group.readers, [&](size_t i) { return is_dense(static_cast<int>(i)); });
      if (!refused.contains(id) && dense) result.push_back(std::move(group));
    }
    return result;
  }

 private:
  bool is_map(ir::ValueId id) const {
    if (id == ir::kNoValue) return false;
    const ir::Value& value = graph_.value(id);
    return value.dtype == DType::kF32 && !graph_.is_given(id) && value.shape && value.shape->size() == 4;
  }

  bool is_vector(ir::ValueId id) const {
    const Shape& shape = *graph_.value(id).shape;
    return shape[2] * shape[3] == 1;
  }

  bool is_dense(int node) const {
    return convolutions_.contains(node) && graph_.nodes[static_cast<size_t>(node)].get_int("group", 1) == 1;
  }
  bool is_depthwise(int node) const {
    const ir::Node& conv = graph_.nodes[static_cast<size_t>(node)];
    return convolutions_.contains(node) && graph_.constant(conv.inputs[1])->dim(1) == 1 &&
           conv.get_int("group", 1) == (*graph_.value(conv.inputs[0]).shape)[1];
  }

  /// Whether an operator makes scaled channels of scaled channels.
  bool passes_scale(const ir::Node& node) const {
    if (node.is("MaxPool")) return node.outputs.size() == 1;
    if (is_scale_free(node)) return true;
    if (ops::is_nearest_resize(node)) return true;
    return node.is("Add") && graph_.value(node.inputs[0]).shape == graph_.value(node.inputs[1]).shape &&
           is_map(node.inputs[0]) && is_map(node.inputs[1]);
  }

  /// Whether the layer that makes a map makes codes of what an activation leaves of it alone.
  bool is_before_activation(ir::ValueId id) const {
    const int reader = layers_.uses().sole_reader(id);
    return reader >= 0 && is_scale_free(graph_.nodes[static_cast<size_t>(reader)]);
  }

  /// Puts a map into its group, with whom makes and reads it; false where one of them cannot scale.
  bool add(ir::ValueId id, Group& group) const {
    const int producer = layers_.uses().producer(id);
    if (producer < 0 || layers_.uses().is_output(id)) return false;
    const ir::Node& maker = graph_.nodes[static_cast<size_t>(producer)];
    const bool is_inside = convolutions_.contains(producer) && is_before_activation(id);
    if (!is_inside) group.maps.push_back(id);
    if (convolutions_.contains(producer)) {
      group.convolutions.push_back(static_cast<size_t>(producer));
    } else if (gates_.contains(producer)) {
      group.gates.push_back({static_cast<size_t>(producer), is_vector(maker.inputs[0]) ? size_t{0} : size_t{1}});
    } else if (!passes_scale(maker)) {
      return false;
    }
    for (const int reader : layers_.uses().readers(id)) {
      const ir::Node& node = graph_.nodes[static_cast<size_t>(reader)];
      if ((is_dense(reader) || is_depthwise(reader)) && node.inputs[0] == id) {
        group.readers.push_back(static_cast<size_t>(reader));
      } else if (!passes_scale(node)) {
        return false;
      }
    }
    return true;
  }

  ir::ValueId leader(ir::ValueId id) {
    const auto next = [&](ir::ValueId one) -> ir::ValueId& { return leader_[static_cast<size_t>(one)]; };
    while (next(id) != id) id = next(id) = next(next(id));  // halves the way for whoever asks next
    return id;
  }
  void join(ir::ValueId a, ir::ValueId b) { leader_[static_cast<size_t>(leader(a))] = leader(b); }

  const ir::Graph& graph_;
  const LayerGraph layers_;
  std::set<int> convolutions_, gates_;
  std::vector<ir::ValueId> leader_;  // by map: another of its group, or itself
};

double largest(const std::vector<double>& values) { return *std::ranges::max_element(values); }

/// For each channel the largest of several lists, each of which counts as much as the others.
void take_largest(std::vector<double>& all, const std::vector<double>& one) {
  all.resize(one.size());
  const double whole = largest(one);
  for (size_t c = 0; c < one.size() && whole > 0; ++c) all[c] = std::max(all[c], one[c] / whole);
}

/// What each channel is divided by: its peak, the largest being 1. Empty where the maps are all zeros.
std::vector<double> factors_of(const std::vector<double>& peaks) {
  if (largest(peaks) <= 0) return {};
  std::vector<double> factors;
  for (const double peak : peaks) factors.push_back(std::max(peak / largest(peaks), kSmallestPeak));
  return factors;
}

class Equalizer {
 public:
  Equalizer(const ir::Graph& graph, const Calibration& calibration)
      : calibration_(calibration), graph_(graph), names_(graph_) {}

  ir::Graph run(const std::vector<Group>& groups) {
    for (const Group& group : groups) scale(group);
    ir::sort_nodes(graph_);  // factors of gates stand at the end
    graph_.compact();
    ops::infer_shapes(graph_);
    ir::verify(graph_);
    return std::move(graph_);
  }

 private:
  void scale(const Group& group) {
    std::vector<double> peaks;
    for (const ir::ValueId map : group.maps)
      take_largest(peaks, calibration_.maps.at(graph_.value(map).name).channel_peaks);
    std::vector<double> factors = factors_of(peaks);
    if (factors.empty()) return;
    for (const Gate& gate : group.gates) limit_steps(gate, factors);
    if (!group.gates.empty()) limit_vectors(group.gates, factors);
    std::vector<double> inverse;
    for (const double factor : factors) inverse.push_back(1 / factor);
    made_.clear();
    for (const size_t reader : group.readers) scale_constant(reader, 1, factors, is_dense(reader) ? 1 : 0);
    for (const size_t maker : group.convolutions)
      for (size_t i = 1; i < graph_.nodes[maker].inputs.size(); ++i) scale_constant(maker, i, inverse, 0);
    for (const Gate& gate : group.gates) scale_gate(gate, inverse);
  }

  const std::vector<double>& peaks_of(ir::ValueId id) const {
    return calibration_.maps.at(graph_.value(id).name).channel_peaks;
  }

  /// Channels that have few codes in the gate's input are not spread over more than that gives.
  void limit_steps(const Gate& gate, std::vector<double>& factors) const {
    const ir::Node& product = graph_.nodes[gate.node];
    const std::vector<double>& vector = peaks_of(product.inputs[gate.vector]);
    const double most = largest(peaks_of(product.outputs[0]));
    if (most <= 0) return;
    const double steps = largest(peaks_of(product.inputs[1 - gate.vector])) / most;
    for (size_t c = 0; c < factors.size(); ++c) factors[c] = std::max(factors[c], vector[c] * steps / kMostGateSteps);
  }

  /// Vectors stay at most 1, as those of sigmoids are: their fixed point ends at 2 (ops::GateCodes).
  void limit_vectors(const std::vector<Gate>& gates, std::vector<double>& factors) const {
    double most = 0;
    for (const Gate& gate : gates) {
      const std::vector<double>& vector = peaks_of(graph_.nodes[gate.node].inputs[gate.vector]);
      for (size_t c = 0; c < factors.size(); ++c) most = std::max(most, vector[c] / factors[c]);
    }
    if (most > 0)
      for (double& factor : factors) factor *= most;
  }

  bool is_dense(size_t conv) const { return graph_.nodes[conv].get_int("group", 1) == 1; }

  /// A convolution's weights or bias, each slice along an axis by its factor. Layers of a group that share them go on
  /// sharing them.
  void scale_constant(size_t conv, size_t input, std::span<const double> factors, size_t axis) {
    ir::ValueId& id = graph_.nodes[conv].inputs[input];
    if (id == ir::kNoValue) return;
    auto [made, is_new] = made_.try_emplace({id, axis}, ir::kNoValue);
    if (is_new) made->second = add_constant(graph_.value(id).name, multiplied(*graph_.constant(id), factors, axis));
    id = made->second;
  }

  /// The vector that a map is multiplied by.
  void scale_gate(const Gate& gate, std::span<const double> factors) {
    const ir::Node& product = graph_.nodes[gate.node];
    const ir::ValueId vector = product.inputs[gate.vector];
    const std::string name = product.name + "_factors";
    const std::vector<float> numbers(factors.begin(), factors.end());
    const ir::ValueId constant =
        add_constant(name, Tensor::from<float>({1, static_cast<int64_t>(numbers.size()), 1, 1}, numbers));
    const ir::ValueId scaled = graph_.add_node("Mul", names_.make(name), {vector, constant});
    graph_.nodes[gate.node].inputs[gate.vector] = scaled;
  }

  /// Each slice along an axis by its factor.
  static Tensor multiplied(const Tensor& tensor, std::span<const double> factors, size_t axis) {
    Tensor result(DType::kF32, tensor.shape());
    const auto from = tensor.data<float>();
    const auto to = result.mutable_data<float>();
    size_t inner = 1;
    for (size_t i = axis + 1; i < tensor.rank(); ++i) inner *= static_cast<size_t>(tensor.dim(i));
    for (size_t i = 0; i < from.size(); ++i)
      to[i] = static_cast<float>(static_cast<double>(from[i]) * factors[i / inner % factors.size()]);
    return result;
  }

  ir::ValueId add_constant(const std::string& name, Tensor tensor) {
    return graph_.add_constant(names_.make(name + "_equalized"), std::move(tensor));
  }

  const Calibration& calibration_;
  ir::Graph graph_;
  passes::UniqueNames names_;
  std::map<std::pair<ir::ValueId, size_t>, ir::ValueId> made_;  ///< of one group: scaled constants by what they were
};

}  // namespace

ir::Graph equalize(const ir::Graph& graph, InputSource source, const CalibrationOptions& options) {
  const std::vector<Group> groups = Grouping(graph).run();
  std::set<std::string> maps;
  for (const Group& group : groups) {
    for (const ir::ValueId map : group.maps) maps.insert(graph.value(map).name);
    for (const Gate& gate : group.gates)
      for (const ir::ValueId input : graph.nodes[gate.node].inputs) maps.insert(graph.value(input).name);
  }
  if (maps.empty()) return graph;
  const auto some = [&](size_t index, std::span<std::byte> input, std::string& name) {
    return index < kEqualizationImages && source(index, input, name);
  };
  return Equalizer(graph, calibrate_maps(graph, maps, some, options)).run(groups);
}

}  // namespace effdet::quantize
