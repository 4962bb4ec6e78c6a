// Shape inference over graphs.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(InferShapes, FollowsShapeArithmetic) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 8, 4, 6});
  const auto shape = graph.add_node("Shape", "shape", {x});
  const auto two = graph.add_constant("two", ints({2})), end = graph.add_constant("end", ints({4}));
  const auto size = graph.add_node("Slice", "size", {shape, two, end});
  const auto doubled = graph.add_node("Mul", "doubled", {size, two});
  const auto head = graph.add_constant("head", ints({1, 8}));
  const auto sizes = graph.add_node("Concat", "sizes", {head, doubled}, {{"axis", int64_t{0}}});
  const auto y = graph.add_node("Resize", "resize", {x, ir::kNoValue, ir::kNoValue, sizes});
  graph.outputs = {y};
  infer_shapes(graph);
  EXPECT_EQ(graph.value(sizes).dtype, DType::kI64);
  EXPECT_EQ(graph.value(y).shape, (Shape{1, 8, 8, 12}));
}

TEST(InferShapes, UnknownDimensionsStayUnknown) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {-1, 3, -1, 8});
  const auto w = graph.add_constant("w", counting({4, 3, 3, 3}));
  const auto y = graph.add_node("Conv", "conv", {x, w}, {{"strides", List{2, 2}}, {"pads", List{1, 1, 1, 1}}});
  const auto z = graph.add_node("Transpose", "t", {y}, {{"perm", List{0, 2, 3, 1}}});
  graph.outputs = {z};
  infer_shapes(graph);
  EXPECT_EQ(graph.value(z).shape, (Shape{-1, -1, 4, 4}));
}

TEST(InferShapes, UnknownRankIsTolerated) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {});
  graph.value(x).shape.reset();
  const auto w = graph.add_constant("w", counting({4, 3, 3, 3}));
  ir::ValueId y = graph.add_node("Conv", "conv", {x, w});
  for (const char* op : {"Relu", "GlobalAveragePool", "Flatten", "Transpose", "Softmax", "ReduceMean"})
    y = graph.add_node(op, op, {y});
  y = graph.add_node("Add", "add", {y, x});
  graph.outputs = {y};
  EXPECT_NO_THROW(infer_shapes(graph));
  EXPECT_FALSE(graph.value(y).shape);
}

TEST(InferShapes, NamesUnsupportedOperators) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1});
  graph.outputs = {graph.add_node("Frobnicate", "n1", {x})};
  try {
    infer_shapes(graph);  // leaves it open
    require_supported(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "unsupported operator Frobnicate (domain 'ai.onnx', opset 11), node 'n1'");
  }
}

}  // namespace
}  // namespace effdet::ops
