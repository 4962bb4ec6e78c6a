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

/// Constants of types that tensors do not have are no constants; they are not "missing" either.
TEST(RunReference, NamesTypesThatItDoesNotHave) {
  ir::Graph graph;
  ir::Value weights{"w", DType::kUnknown};
  weights.initializer = std::make_shared<const std::string>("\x10\x16");  // TensorProto.data_type INT4
  const auto w = graph.add_value(weights);
  graph.outputs = {graph.add_node("DequantizeLinear", "d", {w, graph.add_constant("s", floats({}, {1}))})};
  const std::string expected = "node 'd' (DequantizeLinear): the type of 'w' (int4) is not supported";
  for (const auto& run :
       {std::function([&] { run_reference(graph, {}); }), std::function([&] { require_supported(graph); })})
    try {
      run();
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      EXPECT_EQ(error.what(), expected);
    }
}

}  // namespace
}  // namespace effdet::ops
