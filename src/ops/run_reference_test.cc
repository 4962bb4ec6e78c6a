// Running a graph on the reference kernels.
#include <cmath>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(RunReference, FreesAndReturnsInOrder) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_node("Neg", "a", {x}), b = graph.add_node("Exp", "b", {a});
  graph.outputs = {b, a};
  infer_shapes(graph);
  const Tensor input = floats({2}, {0, 1});
  const auto outputs = run_reference(graph, {&input, 1});
  EXPECT_EQ(values(outputs[1]), (Floats{0, -1}));
  EXPECT_FLOAT_EQ(values(outputs[0])[1], std::exp(-1.0f));
  const Tensor wrong = floats({3}, {0, 1, 2});
  EXPECT_THROW(run_reference(graph, {&wrong, 1}), Error);
}

}  // namespace
}  // namespace effdet::ops
