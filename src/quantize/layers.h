// How a float32 graph falls into layers that can compute in 8 bits, and which maps they read.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "quantize/quantize.h"

namespace effdet::quantize {

/// A layer of the graph, by its values.
struct LayerNode {
  Layer layer;
  size_t node = 0;                  ///< of the graph; for a sum of several Adds the last
  std::vector<ir::ValueId> inputs;  ///< the maps that must be codes where the layer computes in 8 bits
};

/// The operators behind the names in Layer::op.
inline constexpr std::string_view kConv = "Conv", kDepthwiseConv = "DepthwiseConv", kSum = "Sum", kGate = "Gate";

/// A graph with its layers; refers to the graph, whose shapes are inferred, and is valid until that changes.
class LayerGraph {
 public:
  explicit LayerGraph(const ir::Graph& graph);

  const std::vector<LayerNode>& layers() const { return layers_; }
  const ir::Graph& graph() const { return graph_; }
  const ir::Uses& uses() const { return uses_; }
  /// The map whose range a map has: the input of pools and enlargements, which make no values of their own.
  ir::ValueId range_of(ir::ValueId map) const;
  /// The maps that calibration looks at: all that layers read, and what these have their ranges from.
  std::vector<ir::ValueId> maps() const;
  /// Convolutions of squeeze-excite, on vectors of channels: they stay float32, but for their weights.
  const std::vector<size_t>& gate_convolutions() const { return gate_convolutions_; }
  /// The end of the activation that alone reads a value, or the value.
  ir::ValueId activated(ir::ValueId value) const;

 private:
  const ir::Node* producer(ir::ValueId id) const;
  bool is_map(ir::ValueId id) const;
  bool is_gate(ir::ValueId id) const;
  void find_vectors();
  void find_useful();
  void add_conv(size_t index);
  void add_gate(size_t index);
  void add_sum(size_t index);
  bool collect_terms(const ir::Node& sum, std::vector<ir::ValueId>& terms, bool& special, size_t depth) const;
  void add(size_t index, std::string_view op, std::vector<ir::ValueId> inputs, int64_t products, int64_t weights);

  const ir::Graph& graph_;
  ir::Uses uses_;
  std::vector<bool> is_vector_;  ///< by value: computed from means over whole maps alone
  std::vector<bool> is_useful_;  ///< by value: a convolution on maps depends on it
  std::vector<LayerNode> layers_;
  std::vector<size_t> gate_convolutions_;
};

}  // namespace effdet::quantize
