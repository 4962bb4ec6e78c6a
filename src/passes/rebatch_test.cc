// Another batch or size for graphs that were exported with fixed ones.
#include "passes/rebatch.h"

#include "passes/test_util.h"

namespace effdet::passes {
namespace {

/// Conv on 1x2x8x8 and a Reshape with the batch in its list.
ir::Graph reshaping_graph() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 2, 8, 8});
  const auto y = graph.add_node("Conv", "conv", {x, graph.add_constant("w", waves({6, 2, 1, 1}))});
  const auto list = graph.add_constant("list", ints({1, -1, 3}));
  graph.outputs = {graph.add_node("Reshape", "flat", {y, list})};
  return graph;
}

TEST(SetInputShape, PatchesTheBatch) {
  ir::Graph graph = reshaping_graph();
  set_input_shape(graph, "x", {4, 2, 8, 8});
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{4, 128, 3}));
  EXPECT_EQ(graph.constant(graph.find_value("list"))->data<int64_t>()[0], 1);  // others may read the old list
}

TEST(SetInputShape, EachImageGivesWhatItGivesAlone) {
  ir::Graph one = reshaping_graph(), two = one;
  ops::infer_shapes(one);
  set_input_shape(two, "x", {2, 2, 8, 8});
  const Tensor input = waves({2, 2, 8, 8});
  const auto batched = ops::run_reference(two, {&input, 1});
  const auto both = batched[0].data<float>();
  for (int64_t image = 0; image < 2; ++image) {
    const Tensor single = floats(
        {1, 2, 8, 8}, {input.data<float>().begin() + image * 128, input.data<float>().begin() + (image + 1) * 128});
    const auto outputs = ops::run_reference(one, {&single, 1});
    const auto alone = outputs[0].data<float>();
    for (size_t i = 0; i < alone.size(); ++i) ASSERT_EQ(alone[i], both[static_cast<size_t>(image) * alone.size() + i]);
  }
}

TEST(SetInputShape, RefusesWhatDoesNotFit) {
  ir::Graph graph = reshaping_graph();
  EXPECT_THROW(set_input_shape(graph, "y", {1, 2, 8, 8}), Error);
  EXPECT_THROW(set_input_shape(graph, "x", {1, 2, 8}), Error);
  EXPECT_THROW(set_input_shape(graph, "x", {0, 2, 8, 8}), Error);
  try {
    set_input_shape(graph, "x", {1, 3, 8, 8});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  }
}

TEST(SetInputSize, ScalesSizesOfResize) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 2, 8, 8});
  const auto pool = graph.add_node("MaxPool", "pool", {x}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}});
  const auto up = graph.add_node("Resize", "up",
                                 {pool, ir::kNoValue, ir::kNoValue, graph.add_constant("sizes", ints({1, 2, 8, 8}))});
  graph.outputs = {graph.add_node("Add", "sum", {x, up})};
  set_input_size(graph, "x", 4, 16);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{1, 2, 4, 16}));
}

}  // namespace
}  // namespace effdet::passes
