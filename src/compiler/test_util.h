// Small graphs for tests of the compiler, and whether what it makes of them computes the same.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/compile.h"
#include "compiler/passes.h"
#include "passes/test_util.h"
#include "runtime/engine.h"

namespace effdet::compiler {

using passes::floats;
using passes::ints;
using passes::lines;
using passes::waves;
using Ints = std::vector<int64_t>;
using Attributes = std::map<std::string, ir::Attribute>;

/// Layers with constants of their own, named after the layer.
struct Builder {
  ir::Graph graph;

  explicit Builder(Shape input) { x = graph.add_input("x", DType::kF32, std::move(input)); }

  ir::ValueId node(const char* op, const std::string& name, std::vector<ir::ValueId> inputs,
                   Attributes attributes = {}) {
    return graph.add_node(op, name, std::move(inputs), std::move(attributes));
  }
  ir::ValueId constant(const std::string& name, Tensor tensor) { return graph.add_constant(name, std::move(tensor)); }
  ir::ValueId conv(const std::string& name, ir::ValueId in, const Shape& weights, Attributes attributes = {}) {
    const int64_t pad = weights[2] / 2;
    attributes.try_emplace("pads", Ints{pad, pad, pad, pad});
    return node("Conv", name,
                {in, constant(name + ".w", waves(weights)), constant(name + ".b", waves({weights[0]}, 1))},
                std::move(attributes));
  }
  ir::ValueId depthwise(const std::string& name, ir::ValueId in, int64_t channels) {
    return conv(name, in, {channels, 1, 3, 3}, {{"group", channels}});
  }
  ir::ValueId swish(const std::string& name, ir::ValueId in) {
    return node("Mul", name, {in, node("Sigmoid", name + ".gate", {in})});
  }
  ir::ValueId scale(const std::string& name, ir::ValueId in, float factor) {
    return node("Mul", name, {in, constant(name + ".factor", floats({}, {factor}))});
  }
  ir::ValueId up(const std::string& name, ir::ValueId in, float factor) {
    return node("Resize", name, {in, ir::kNoValue, constant(name + ".scales", floats({4}, {1, 1, factor, factor}))},
                {{"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}});
  }
  ir::ValueId pool(const std::string& name, ir::ValueId in, Ints pads) {
    return node("MaxPool", name, {in},
                {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", std::move(pads)}});
  }

  ir::ValueId x;
};

/// Runs rewrites as compile() does and checks that the graph still computes the same.
inline std::string rewritten(ir::Graph& graph, const std::vector<void (*)(ir::Graph&)>& stages) {
  ops::infer_shapes(graph);
  const ir::Graph before = graph;
  for (const auto stage : stages) {
    stage(graph);
    ir::verify(graph);
    ops::infer_shapes(graph);
  }
  EXPECT_LT(passes::compare_whole(before, graph, {.runs = 2, .seed = 7}).difference, 1e-5);
  return lines(graph);
}

/// A rewrite that makes constants, with room for them.
template <void (*rewrite)(ir::Graph&, passes::RewriteBudget&)>
void roomy(ir::Graph& graph) {
  passes::RewriteBudget budget(graph);
  rewrite(graph, budget);
}

inline std::vector<Tensor> random_inputs(const ir::Graph& graph) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs)
    inputs.push_back(waves(*graph.value(id).shape, static_cast<float>(inputs.size())));
  return inputs;
}

inline std::vector<Tensor> run(const artifact::Program& program, std::span<const Tensor> inputs,
                               bool reference_only = false) {
  return runtime::Session(std::make_shared<runtime::Engine>(program, reference_only), 2).run(inputs);
}

/// Largest difference relative to the largest magnitude.
inline double difference(const Tensor& got, const Tensor& want) {
  EXPECT_EQ(got.shape(), want.shape());
  double largest = 1e-9, worst = 0;
  for (size_t i = 0; i < want.data<float>().size(); ++i) {
    const double a = got.data<float>()[i], b = want.data<float>()[i];
    largest = std::max(largest, std::abs(b));
    worst = std::max(worst, std::isnan(a) == std::isnan(b) ? std::abs(a - b) : INFINITY);
  }
  return worst / largest;
}

/// Compiles, with fusion and without, runs on all kernels, and compares with the graph's own meaning.
inline artifact::Program expect_same(const ir::Graph& graph) {
  ir::Graph inferred = graph;
  ops::infer_shapes(inferred);
  const std::vector<Tensor> inputs = random_inputs(inferred);
  const std::vector<Tensor> want = ops::run_reference(inferred, inputs);
  artifact::Program fused = compile(graph);
  const artifact::Program plain = compile(graph, {.fuse = false});
  const auto expect = [&](const std::vector<Tensor>& got, const char* what) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_LT(difference(got[i], want[i]), 1e-5) << what << ", output " << i;
  };
  expect(run(fused, inputs), "fused");
  expect(run(fused, inputs, true), "fused, on reference kernels");
  expect(run(plain, inputs), "not fused");
  return fused;
}

inline std::vector<std::string> implementations(const artifact::Program& program) {
  const runtime::Engine engine(program);
  std::vector<std::string> names;
  for (const kernels::Choice& choice : engine.choices()) names.emplace_back(choice.implementation);
  return names;
}

/// How many nodes have this operator.
inline int count_of(const ir::Graph& graph, std::string_view op) {
  return static_cast<int>(std::ranges::count(graph.nodes, op, &ir::Node::op));
}

/// The value of an attribute of the only node of a type; empty where there is none.
inline std::string attribute_of(const ir::Graph& graph, std::string_view op, std::string_view attribute) {
  for (const ir::Node& node : graph.nodes)
    if (node.op == op) return node.get_string(attribute, "");
  return "";
}

/// A scalar constant.
inline ir::ValueId number(Builder& b, const std::string& name, float value) {
  return b.constant(name, floats({}, {value}));
}

/// A network in which every fusion finds something.
inline ir::Graph whole_network() {
  Builder b({2, 3, 16, 16});
  const auto stem = b.swish("stem.act", b.conv("stem", b.x, {8, 3, 3, 3}, {{"strides", Ints{2, 2}}}));
  const auto deep = b.swish("deep.act", b.depthwise("deep", stem, 8));
  const auto mean = b.node("GlobalAveragePool", "mean", {deep});
  const auto gate =
      b.node("Sigmoid", "gate", {b.conv("expand", b.swish("r", b.conv("reduce", mean, {2, 8, 1, 1})), {8, 2, 1, 1})});
  const auto block = b.node("Add", "block", {b.conv("project", b.node("Mul", "m", {deep, gate}), {8, 8, 1, 1}), stem});
  const auto mixed =
      b.node("Add", "mix", {b.scale("s0", block, 0.7f), b.up("up", b.pool("p", block, {1, 1, 1, 1}), 2)});
  b.graph.outputs = {b.conv("head", mixed, {5, 8, 1, 1})};
  return b.graph;
}

/// Split, Resize (by scales, by sizes) and Concat between layers, with the layers' layout.
inline ir::Graph followers() {
  Builder b({2, 8, 6, 6});
  const auto split = b.node("Split", "split", {b.conv("conv", b.x, {8, 8, 1, 1})}, {{"axis", int64_t{1}}});
  const auto right = b.graph.add_value({"right", DType::kF32, {}, {}});
  b.graph.nodes.back().outputs.push_back(right);
  const auto up = b.up("up", split, 1.5f);
  const auto down =
      b.node("Resize", "down", {right, ir::kNoValue, ir::kNoValue, b.constant("sizes", ints({2, 4, 9, 9}))},
             {{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}});
  b.graph.outputs = {
      b.conv("last", b.node("Concat", "concat", {down, up, up}, {{"axis", int64_t{-3}}}), {8, 12, 3, 3})};
  return b.graph;
}

}  // namespace effdet::compiler
