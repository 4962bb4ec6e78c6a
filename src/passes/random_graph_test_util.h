// Random small graphs of what exporters write, for properties that hold for all graphs.
#pragma once

#include <algorithm>

#include "passes/random_blocks_test_util.h"

namespace effdet::passes {

/// Appends random operators that fit together: what exporters write, and the patterns that passes look for in pieces
/// that need not be whole.
class RandomGraph : private RandomBlocks {
 public:
  explicit RandomGraph(uint64_t seed) : RandomBlocks(seed) {
    graph_.opset = pick({11, 13, 18, 23});
    values_.push_back(
        graph_.add_input("x", DType::kF32, {2, pick({3, 4, 16, 40}), pick({6, 7, 12, 28}), pick({5, 6, 19})}));
    const int count = number(3, 14);
    for (int i = 0; i < count; ++i) append();
    const int outputs = chance(3) ? number(1, 8) : number(1, 3);
    for (int i = 0; i < outputs; ++i) {
      const ir::ValueId id = i == 0 ? values_.back() : any();
      if (std::ranges::find(graph_.outputs, id) == graph_.outputs.end()) graph_.outputs.push_back(id);
    }
    graph_.compact();
    ops::infer_shapes(graph_);
  }

  const ir::Graph& graph() const { return graph_; }

 private:
  /// Late values more often: deep graphs have more patterns than wide ones.
  ir::ValueId any() {
    const int last = static_cast<int>(values_.size()) - 1;
    return values_[static_cast<size_t>(number(0, 2) == 0 ? number(0, last) : number(std::max(0, last - 2), last))];
  }

  /// By a scalar, a value a channel, or nothing that changes anything.
  ir::ValueId scale(ir::ValueId x) {
    const char* op = pick<const char*>({"Mul", "Add", "Sub", "Div"});
    const Shape dims = chance(2) ? Shape{} : Shape{1, channels(x), 1, 1};
    return node(op, {x, constant(noise(dims, 0.5f, 2))});
  }

  /// By one number after the other, as fusion weights are exported.
  ir::ValueId scale_twice(ir::ValueId x) {
    for (int i = 0; i < 2; ++i)
      x = node(number(0, 1) == 0 ? "Mul" : "Div",
               {x, constant(noise(number(0, 1) == 0 ? Shape{} : Shape{1}, 0.5f, 2))});
    return x;
  }

  ir::ValueId pad(ir::ValueId x) {
    const ir::ValueId sizes = list({0, 0, pick({0, 1}), pick({0, 1}), 0, 0, pick({0, 1}), pick({0, 1})});
    if (chance(2)) return node("Pad", {x, sizes});
    if (chance(2) || shape(x)[2] < 3 || shape(x)[3] < 3) return node("Pad", {x, sizes, constant(Tensor::scalar(0.0f))});
    const ir::ValueId padded = node("Pad", {x, sizes, constant(Tensor::scalar(-INFINITY))});
    return node("MaxPool", {padded}, {{"kernel_shape", List{3, 3}}, {"strides", List(2, pick({1, 2}))}});
  }

  /// A squeeze-excite block without its layers.
  ir::ValueId gate(ir::ValueId x) { return node("Mul", {x, node("Sigmoid", {node("GlobalAveragePool", {x})})}); }

  /// The sum of a stack, or of values that are alike.
  ir::ValueId sum(ir::ValueId x) {
    std::vector<ir::ValueId> terms{x};
    for (ir::ValueId id : values_)
      if (shape(id) == shape(x) && terms.size() < 3) terms.push_back(id);
    if (number(0, 1) == 0) return node("Sum", terms);
    for (ir::ValueId& term : terms) term = with_axes("Unsqueeze", term, {4});
    const ir::ValueId stack = node("Concat", terms, {{"axis", int64_t{-1}}});
    return with_axes("ReduceSum", stack, {-1}, {{"keepdims", int64_t{0}}});
  }

  /// To its own shape, as arithmetic on Shape that folds.
  ir::ValueId reshape(ir::ValueId x) {
    const ir::ValueId dims = node("Shape", {x});
    const ir::ValueId head = node("Gather", {dims, list({0, 1})});
    return node("Reshape", {x, node("Concat", {head, list({shape(x)[2], -1})}, {{"axis", int64_t{0}}})});
  }

  ir::ValueId same(ir::ValueId x) {
    switch (number(0, 3)) {
      case 0:
        return node("Identity", {x});
      case 1:
        return node("Cast", {x}, {{"to", int64_t{1}}});
      case 2:
        return node("Transpose", {x}, {{"perm", List{0, 1, 2, 3}}});
      default:
        return node("Concat", {x}, {{"axis", int64_t{1}}});
    }
  }

  /// Maps of one size side by side.
  ir::ValueId concat(ir::ValueId x) {
    const Shape dims = shape(x);
    const ir::ValueId other = any();
    const Shape& others = shape(other);
    if (dims[1] + others[1] > 48 || !std::ranges::equal(dims.begin() + 2, dims.end(), others.begin() + 2, others.end()))
      return x;
    return node("Concat", {x, other}, {{"axis", int64_t{1}}});
  }

  void append() {
    const ir::ValueId x = any();
    ir::ValueId (RandomGraph::*const kMakers[])(ir::ValueId) = {&RandomGraph::conv,
                                                                &RandomGraph::conv,
                                                                &RandomGraph::conv,
                                                                &RandomGraph::scale_twice,
                                                                &RandomGraph::batch_norm,
                                                                &RandomGraph::scale,
                                                                &RandomGraph::scale,
                                                                &RandomGraph::pad,
                                                                &RandomGraph::max_pool,
                                                                &RandomGraph::sum,
                                                                &RandomGraph::same,
                                                                &RandomGraph::reshape,
                                                                &RandomGraph::activation,
                                                                &RandomGraph::activation,
                                                                &RandomGraph::gate,
                                                                &RandomGraph::concat,
                                                                &RandomGraph::conv_transpose,
                                                                &RandomGraph::squeeze_excite,
                                                                &RandomGraph::inverted_bottleneck,
                                                                &RandomGraph::inverted_bottleneck,
                                                                &RandomGraph::average_pool,
                                                                &RandomGraph::resize,
                                                                &RandomGraph::halves,
                                                                &RandomGraph::slice,
                                                                &RandomGraph::shuffled_channels,
                                                                &RandomGraph::depth_and_space,
                                                                &RandomGraph::tokens,
                                                                &RandomGraph::attention,
                                                                &RandomGraph::softmax};
    const ir::ValueId made = (this->*kMakers[number(0, static_cast<int>(std::size(kMakers)) - 1)])(x);
    if (made != x) values_.push_back(made);
  }

  std::vector<ir::ValueId> values_;
};

}  // namespace effdet::passes
