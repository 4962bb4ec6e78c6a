// Suppression that gives a fixed number of boxes.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// What of the boxes stays, filled up with `filler`, the lowest `count` of which are the output.
ir::Graph box_selection(int64_t filler, int64_t count, Attributes attributes = {{"largest", int64_t{0}}}) {
  Builder b({1, 12, 4});
  const auto scores = b.graph.add_input("scores", DType::kF32, {1, 3, 12});
  const auto kept = b.node("NonMaxSuppression", "nms",
                           {b.x, scores, b.constant("most", ints({2})), b.constant("iou", floats({}, {0.1f})),
                            b.constant("least", floats({}, {-0.5f}))});
  const auto column =
      b.node("Gather", "column", {kept, b.constant("two", Tensor::scalar(int64_t{2}))}, {{"axis", int64_t{1}}});
  const auto filled =
      b.node("Concat", "filled", {column, b.constant("filler", ints(Ints(8, filler)))}, {{"axis", int64_t{0}}});
  const auto top = b.node("TopK", "top", {filled, b.constant("count", ints({count}))}, std::move(attributes));
  b.graph.outputs = {b.node("Cast", "number", {top}, {{"to", int64_t{1}}})};
  return std::move(b.graph);
}

TEST(FuseBoxSelection, GivesSuppressionAFixedSize) {
  ir::Graph graph = box_selection(12, 7);
  expect_same(graph);
  EXPECT_EQ(rewritten(graph, {roomy<fuse_box_selection>}),
            "top_output_0 = SelectBoxes(x, scores)\nnumber_output_0 = Cast(top_output_0)\n");
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{7}));
}

TEST(FuseBoxSelection, LeavesWhatMeansSomethingElse) {
  for (ir::Graph graph : {box_selection(12, 7, {}), box_selection(10, 7), box_selection(12, 9),
                          box_selection(12, 7, {{"largest", int64_t{0}}, {"sorted", int64_t{0}}})}) {
    const size_t nodes = graph.nodes.size();
    ops::infer_shapes(graph);
    roomy<fuse_box_selection>(graph);
    EXPECT_EQ(graph.nodes.size(), nodes);
  }
}

/// The first `count` of the boxes that stay, at most six, as PyTorch exports boxes[nms(...)[:count]].
ir::Graph first_boxes(int64_t count) {
  Builder b({1, 12, 4});
  const auto scores = b.graph.add_input("scores", DType::kF32, {1, 3, 12});
  const auto rows = b.graph.add_input("rows", DType::kF32, {12, 5});
  const auto kept = b.node("NonMaxSuppression", "nms",
                           {b.x, scores, b.constant("most", ints({2})), b.constant("iou", floats({}, {0.1f}))});
  const auto column = b.node("Gather", "column", {kept, b.constant("two", ints({2}))}, {{"axis", int64_t{1}}});
  const auto indices = b.node("Squeeze", "indices", {column}, {{"axes", Ints{1}}});
  const auto first = b.node("Slice", "first",
                            {indices, b.constant("start", ints({0})), b.constant("count", ints({count})),
                             b.constant("axis", ints({0})), b.constant("step", ints({1}))});
  b.graph.outputs = {b.node("Gather", "chosen", {rows, first}, {{"axis", int64_t{0}}})};
  return std::move(b.graph);
}

TEST(FuseBoxSelection, TakesTheFirst) {
  ir::Graph graph = first_boxes(2);
  expect_same(graph);
  EXPECT_EQ(rewritten(graph, {roomy<fuse_box_selection>}),
            "first_output_0 = SelectBoxes(x, scores)\nrows_filled_output_0 = Concat(rows, rows_zeros)\n"
            "chosen_output_0 = Gather(rows_filled_output_0, first_output_0)\n");
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 5}));
}

TEST(FuseBoxSelection, FillsUpWithZeros) {
  ir::Graph graph = first_boxes(8);
  ops::infer_shapes(graph);
  artifact::Program program = compile(graph);
  const std::vector<Tensor> inputs = random_inputs(graph);
  const Tensor want = ops::run_reference(graph, inputs)[0], got = run(program, inputs)[0];
  ASSERT_LE(want.dim(0), 6);
  ASSERT_EQ(got.shape(), (Shape{8, 5}));
  for (int64_t i = 0; i < got.numel(); ++i)
    EXPECT_EQ(got.data<float>()[static_cast<size_t>(i)],
              i < want.numel() ? want.data<float>()[static_cast<size_t>(i)] : 0.0f);
}

}  // namespace
}  // namespace effdet::compiler
