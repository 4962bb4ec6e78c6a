// What random graphs are made with: numbers, constants, nodes whose shapes are known at once.
#pragma once

#include <cmath>
#include <random>

#include "passes/test_util.h"

namespace effdet::passes {

/// Appends nodes to a graph of float maps [batch, channels, height, width].
class GraphMaker {
 public:
  explicit GraphMaker(uint64_t seed) : random_(seed) {}

 protected:
  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool chance(int one_in) { return number(1, one_in) == 1; }
  template <typename T = int64_t>
  T pick(std::initializer_list<T> list) {
    return list.begin()[number(0, static_cast<int>(list.size()) - 1)];
  }
  const Shape& shape(ir::ValueId id) { return *graph_.value(id).shape; }
  int64_t channels(ir::ValueId x) { return shape(x)[1]; }
  std::string name(const char* op) { return std::string(op) + std::to_string(++count_); }

  Tensor noise(Shape dims, float low = -1, float high = 1) {
    Tensor tensor(DType::kF32, std::move(dims));
    std::uniform_real_distribution<float> uniform(low, high);
    for (float& x : tensor.mutable_data<float>()) x = uniform(random_);
    return tensor;
  }
  /// Factors of sums of so many terms, which neither grow nor vanish: functions that saturate would blow up rounding.
  ir::ValueId weights(Shape dims, int64_t terms) {
    const float bound = std::sqrt(3.0f / static_cast<float>(terms));
    return constant(noise(std::move(dims), -bound, bound));
  }
  ir::ValueId constant(Tensor tensor) { return graph_.add_constant(name("c"), std::move(tensor)); }
  ir::ValueId list(const List& values) { return constant(ints(values)); }

  /// A node with its shapes; as many outputs as are wanted.
  std::vector<ir::ValueId> nodes(const char* op, std::vector<ir::ValueId> inputs, Attributes attributes,
                                 size_t outputs) {
    graph_.add_node(op, name(op), std::move(inputs), std::move(attributes));
    ir::Node& made = graph_.nodes.back();
    while (made.outputs.size() < outputs) made.outputs.push_back(graph_.add_value({name("part"), DType::kUnknown}));
    ops::infer_shapes(graph_);
    return graph_.nodes.back().outputs;
  }
  ir::ValueId node(const char* op, std::vector<ir::ValueId> inputs, Attributes attributes = {}) {
    return nodes(op, std::move(inputs), std::move(attributes), 1)[0];
  }

  /// Axes of a node: an attribute before opset 13, an input from then on (ReduceMean from 18 on).
  ir::ValueId with_axes(const char* op, ir::ValueId x, List axes, Attributes attributes = {}, int64_t since = 13) {
    if (graph_.opset >= since) return node(op, {x, list(axes)}, std::move(attributes));
    attributes["axes"] = std::move(axes);
    return node(op, {x}, std::move(attributes));
  }

  std::mt19937_64 random_;
  ir::Graph graph_;

 private:
  int count_ = 0;
};

}  // namespace effdet::passes
