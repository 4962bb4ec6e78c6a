// Random small graphs of what exporters write, for properties that hold for all graphs.
#pragma once

#include <algorithm>
#include <random>

#include "passes/test_util.h"

namespace effdet::passes {

/// Appends random operators that fit together: what exporters write, and the patterns that passes look for in pieces
/// that need not be whole.
class RandomGraph {
 public:
  explicit RandomGraph(uint64_t seed) : random_(seed) {
    graph_.opset = pick({11, 13, 18});
    values_.push_back(graph_.add_input("x", DType::kF32, {2, 4, 6, 6}));
    const int count = number(3, 14);
    for (int i = 0; i < count; ++i) append();
    const int outputs = number(1, 3);
    for (int i = 0; i < outputs; ++i) {
      const ir::ValueId id = i == 0 ? values_.back() : any();
      if (std::ranges::find(graph_.outputs, id) == graph_.outputs.end()) graph_.outputs.push_back(id);
    }
    graph_.compact();
    ops::infer_shapes(graph_);
  }

  const ir::Graph& graph() const { return graph_; }

 private:
  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  int64_t pick(std::initializer_list<int64_t> list) {
    return list.begin()[number(0, static_cast<int>(list.size()) - 1)];
  }
  /// Late values more often: deep graphs have more patterns than wide ones.
  ir::ValueId any() {
    const int last = static_cast<int>(values_.size()) - 1;
    return values_[static_cast<size_t>(number(0, 2) == 0 ? number(0, last) : number(std::max(0, last - 2), last))];
  }
  const Shape& shape(ir::ValueId id) { return *graph_.value(id).shape; }
  std::string name(const char* op) { return std::string(op) + std::to_string(++count_); }

  Tensor noise(Shape dims, float low = -1, float high = 1) {
    Tensor tensor(DType::kF32, std::move(dims));
    std::uniform_real_distribution<float> uniform(low, high);
    for (float& x : tensor.mutable_data<float>()) x = uniform(random_);
    return tensor;
  }
  ir::ValueId constant(Tensor tensor) { return graph_.add_constant(name("c"), std::move(tensor)); }
  ir::ValueId list(const List& values) { return constant(ints(values)); }

  ir::ValueId node(const char* op, std::vector<ir::ValueId> inputs, Attributes attributes = {}) {
    const ir::ValueId id = graph_.add_node(op, name(op), std::move(inputs), std::move(attributes));
    ops::infer_shapes(graph_);
    return id;
  }

  /// Axes of a node: an attribute before opset 13, an input from then on (ReduceMean from 18 on).
  ir::ValueId with_axes(const char* op, ir::ValueId x, List axes, Attributes attributes = {}, int64_t since = 13) {
    if (graph_.opset >= since) return node(op, {x, list(axes)}, std::move(attributes));
    attributes["axes"] = std::move(axes);
    return node(op, {x}, std::move(attributes));
  }

  ir::ValueId conv(ir::ValueId x) {
    const int64_t channels = shape(x)[1], kernel = shape(x)[2] >= 3 && shape(x)[3] >= 3 ? pick({1, 3}) : 1;
    const bool depthwise = number(0, 2) == 0;
    const int64_t out = depthwise ? channels : pick({2, 4});
    std::vector<ir::ValueId> inputs{x, constant(noise({out, depthwise ? 1 : channels, kernel, kernel}))};
    if (number(0, 1) == 0) inputs.push_back(constant(noise({out})));
    const int64_t pad = kernel == 3 ? pick({0, 1}) : 0;
    return node(
        "Conv", inputs,
        {{"group", depthwise ? channels : int64_t{1}}, {"pads", List(4, pad)}, {"strides", List(2, pick({1, 1, 2}))}});
  }

  ir::ValueId batch_norm(ir::ValueId x) {
    const int64_t channels = shape(x)[1];
    std::vector<ir::ValueId> inputs{x};
    for (int i = 0; i < 3; ++i) inputs.push_back(constant(noise({channels})));
    inputs.push_back(constant(noise({channels}, 0.5f, 2)));
    return node("BatchNormalization", inputs);
  }

  /// By a scalar, a value a channel, or nothing that changes anything.
  ir::ValueId scale(ir::ValueId x) {
    const char* op = (const char*[]){"Mul", "Add", "Sub", "Div"}[number(0, 3)];
    const Shape dims = number(0, 1) == 0 ? Shape{} : Shape{1, shape(x)[1], 1, 1};
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
    std::vector<ir::ValueId> inputs{x, list({0, 0, pick({0, 1}), pick({0, 1}), 0, 0, pick({0, 1}), pick({0, 1})})};
    if (number(0, 1) == 0) inputs.push_back(constant(Tensor::scalar(number(0, 1) == 0 ? 0.0f : -INFINITY)));
    return node("Pad", inputs);
  }

  ir::ValueId pool(ir::ValueId x) {
    if (shape(x)[2] < 2 || shape(x)[3] < 2) return x;
    return node("MaxPool", {x}, {{"kernel_shape", List{2, 2}}, {"strides", List(2, pick({1, 2}))}});
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

  ir::ValueId activation(ir::ValueId x) {
    if (number(0, 2) == 0) return node("Mul", {x, node("Sigmoid", {x})});
    return node((const char*[]){"Relu", "Sigmoid", "Tanh"}[number(0, 2)], {x});
  }

  void append() {
    const ir::ValueId x = any();
    ir::ValueId (RandomGraph::*const kMakers[])(ir::ValueId) = {
        &RandomGraph::conv,  &RandomGraph::conv,  &RandomGraph::scale_twice, &RandomGraph::batch_norm,
        &RandomGraph::scale, &RandomGraph::scale, &RandomGraph::pad,         &RandomGraph::pool,
        &RandomGraph::sum,   &RandomGraph::same,  &RandomGraph::reshape,     &RandomGraph::activation,
        &RandomGraph::gate};
    const ir::ValueId made = (this->*kMakers[number(0, static_cast<int>(std::size(kMakers)) - 1)])(x);
    if (made != x) values_.push_back(made);
  }

  std::mt19937_64 random_;
  ir::Graph graph_;
  std::vector<ir::ValueId> values_;
  int count_ = 0;
};

}  // namespace effdet::passes
