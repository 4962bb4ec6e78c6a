// Small graphs for the passes' tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "ops/op.h"
#include "passes/equivalence.h"

namespace effdet::passes {

using List = std::vector<int64_t>;
using Attributes = std::map<std::string, ir::Attribute>;

inline Tensor floats(Shape shape, std::vector<float> values) { return Tensor::from<float>(std::move(shape), values); }
inline Tensor ints(const List& values) { return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values); }

/// Values between -1 and 1 that differ from each other.
inline Tensor waves(Shape shape, float phase = 0) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = std::sin(phase += 1.7f);
  return tensor;
}

/// The nodes' lines of to_text without types and names of nodes: "%y = Add(%x, %c)".
inline std::string lines(const ir::Graph& graph) {
  std::string text;
  for (const ir::Node& node : graph.nodes) {
    const auto list = [&](const std::vector<ir::ValueId>& ids) {
      std::string names;
      for (ir::ValueId id : ids)
        names += (names.empty() ? "" : ", ") + (id == ir::kNoValue ? "_" : graph.value(id).name);
      return names;
    };
    text += list(node.outputs) + " = " + node.op + "(" + list(node.inputs) + ")\n";
  }
  return text;
}

/// Runs one pass as the pipeline does and checks that the graph still computes the same.
inline bool apply(bool (*pass)(ir::Graph&), ir::Graph& graph) {
  ops::infer_shapes(graph);
  const ir::Graph before = graph;
  const bool changed = pass(graph);
  graph.compact();
  ir::verify(graph);
  ops::infer_shapes(graph);
  EXPECT_LT(compare_whole(before, graph, {.runs = 2, .seed = 7}).difference, 1e-5);
  return changed;
}

}  // namespace effdet::passes
