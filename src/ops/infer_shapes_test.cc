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

/// What asks for a shape has its rank, and the dimensions that are known: files whose outputs have none are refused by
/// ONNX's checker.
TEST(InferShapes, ShapesAskedForInPartAreKnownInPart) {
  struct Case {
    const char* op;
    bool data;     ///< whether the shape is the second input
    List numbers;  ///< after the batch
    Shape expected;
  };
  for (const Case& c : {Case{"Expand", true, {5, 4, 6}, {-1, 5, 4, 6}},
                        {"ConstantOfShape", false, {0, 7}, {-1, 0, 7}},
                        {"Reshape", true, {0, 24}, {-1, 1, 24}},
                        {"Reshape", true, {-1, 3}, {-1, -1, 3}}}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {-1, 1, 4, 6});
    const auto batch = graph.add_node("Shape", "batch", {x}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    const auto rest = graph.add_constant("rest", ints(c.numbers));
    const auto shape = graph.add_node("Concat", "shape", {batch, rest}, {{"axis", int64_t{0}}});
    graph.opset = 15;
    graph.outputs = {graph.add_node(c.op, "y", c.data ? std::vector{x, shape} : std::vector{shape})};
    infer_shapes(graph);
    EXPECT_EQ(graph.value(graph.outputs[0]).shape, c.expected) << c.op;
    graph.value(rest).constant = ints({-2, 3});
    EXPECT_THROW(infer_shapes(graph), Error) << c.op;
  }
}

/// Of a list of numbers that nothing is known of, its length is the rank.
TEST(InferShapes, LengthsOfShapesAreRanks) {
  for (const char* op : {"Expand", "Reshape"}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {3, 1});
    const auto shape = graph.add_input("shape", DType::kI64, {3});
    graph.outputs = {graph.add_node(op, "y", {x, shape})};
    infer_shapes(graph);
    EXPECT_EQ(graph.value(graph.outputs[0]).shape,
              (op == std::string_view("Expand") ? Shape{-1, 3, -1} : Shape{-1, -1, -1}));
  }
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
