// Graphs of which the image's content says how many rows they give.
#include "base/error.h"
#include "compiler/row_limits.h"
#include "compiler/test_util.h"
#include "ir/graph_text_test_util.h"
#include "passes/branches_test_util.h"

namespace effdet::compiler {
namespace {

using ir::graph_from_text;

/// Boxes that stay, at most six of 12: their indices are `kept`.
constexpr const char* kSuppression = R"(
  input boxes [1,12,4]
  input scores [1,3,12]
  input rows [12,5]
  kept3 = NonMaxSuppression(boxes, scores, int[2], float[0.1])
  column = Gather(kept3, int[2]) axis=1
)";

ir::Graph after_suppression(const std::string& lines) { return graph_from_text(kSuppression + lines); }

/// What the graph gives for its inputs, and what its compiled model does.
struct Results {
  artifact::Program program;
  std::vector<Tensor> want, got;

  explicit Results(const ir::Graph& graph) : program(compile(graph)) {
    const std::vector<Tensor> inputs = random_inputs(graph);
    want = ops::run_reference(graph, inputs);
    got = run(program, inputs);
    const std::vector<Tensor> slow = run(compile(graph, {.fuse = false}), inputs, true);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_LT(difference(got[i], slow[i]), 1e-5) << i;
  }
};

/// Whether the first rows are those that are wanted, and the others zeros.
void expect_filled_up(const Tensor& got, const Tensor& want, int64_t rows) {
  ASSERT_EQ(got.dim(0), rows);
  ASSERT_LT(want.dim(0), rows) << "the test needs fewer than the most";
  ASSERT_GT(want.dim(0), 0);
  const auto values = got.data<float>(), wanted = want.data<float>();
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], i < wanted.size() ? wanted[i] : 0.0f) << i;
}

TEST(FuseDynamicPart, AllBoxesThatStay) {
  const Results results(
      after_suppression("chosen = Gather(rows, column)\n plus = Add(chosen, float[1.0])\n output plus"));
  expect_filled_up(results.got[0], results.want[0], 6);
  EXPECT_EQ(count_of(results.program.graph, "DynamicPart"), 1);
  EXPECT_EQ(results.program.graph.metadata.at("effdet.row_limits"), "'plus_output_0' 6x5");
}

TEST(FuseDynamicPart, IndicesWithoutTheFirst) {
  const Results results(after_suppression("some = Slice(column, int[1], int[5])\n f = Cast(some) to=1\n output f"));
  expect_filled_up(results.got[0], results.want[0], 4);
}

TEST(FuseDynamicPart, RowsOfAScoreAboveALimit) {
  const Results results(graph_from_text(R"(
    input x [9,4]
    good = Greater(x, float[0.1])
    at = NonZero(good)
    places = Transpose(at) perm=[1,0]
    values = GatherND(x, places)
    output values)"));
  expect_filled_up(results.got[0], results.want[0], 36);
}

TEST(FuseDynamicPart, KnownShapesAreThoseOfTheGraph) {
  // Filled up in the graph to 10 rows: as Ultralytics' and TensorFlow's exports do it.
  const Results results(after_suppression(R"(
    zeros = int[0,0]
    none = Slice(zeros, int[0], int[1])
    chosen = Gather(rows, column)
    shape = Shape(chosen)
    count = Slice(shape, int[0], int[1])
    missing = Sub(int[10], count)
    numbers = Cast(missing) to=1
    positive = Relu(numbers)
    whole = Cast(positive) to=7
    pads = Concat(int[0,0], whole) axis=0
    all = Concat(pads, none) axis=0
    filled = Pad(chosen, all)
    doubled = Add(filled, filled)
    output doubled)"));
  EXPECT_EQ(results.got[0].shape(), (Shape{10, 5}));
  ASSERT_EQ(results.want[0].shape(), results.got[0].shape());
  EXPECT_TRUE(std::ranges::equal(results.got[0].bytes(), results.want[0].bytes()));
}

TEST(FuseDynamicPart, WhatHasAKnownShapeAgainFollowsThePart) {
  const Results results(after_suppression(R"(
    chosen = Gather(rows, column)
    best = ReduceMax(chosen) axes=[0] keepdims=1
    y = MatMul(best, waves[5,8])
    output y)"));
  EXPECT_EQ(results.got[0].shape(), (Shape{1, 8}));
  EXPECT_LT(difference(results.got[0], results.want[0]), 1e-5);
  EXPECT_EQ(count_of(results.program.graph, "MatMul"), 1);
}

TEST(FuseDynamicPart, WhatLiesBetweenTwoOfItsNodesBelongsToIt) {
  // The best row has a known shape, and all rows are compared with it.
  const Results results(after_suppression(R"(
    chosen = Gather(rows, column)
    best = ReduceMax(chosen) axes=[0] keepdims=1
    half = Mul(best, float[0.5])
    y = Sub(chosen, half)
    output y, half)"));
  expect_filled_up(results.got[0], results.want[0], 6);
  EXPECT_EQ(results.program.graph.nodes.size(), 1u);
}

TEST(FuseDynamicPart, LimitsFollowTheOperators) {
  const auto limit = [](const std::string& lines) {
    ir::Graph graph = after_suppression("flat = Gather(rows, column)\n" + lines);
    ops::infer_shapes(graph);
    return shape_limits(graph)[static_cast<size_t>(graph.outputs[0])];
  };
  EXPECT_EQ(limit("y = Concat(flat, rows, flat) axis=0\n output y"), (Shape{24, 5}));
  EXPECT_EQ(limit("y = Transpose(flat) perm=[1,0]\n output y"), (Shape{5, 6}));
  EXPECT_EQ(limit("y = Slice(flat, int[2], int[4], int[0])\n output y"), (Shape{2, 5}));
  EXPECT_EQ(limit("y = Slice(flat, int[-3], int[5], int[0])\n output y"), (Shape{6, 5})) << "may be any rows";
  EXPECT_EQ(limit("s = Shape(column)\n y = Slice(rows, int[0], s)\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("y = Reshape(flat, int[-1])\n output y"), (Shape{30}));
  EXPECT_EQ(limit("y = Reshape(flat, int[0,5,1])\n output y"), (Shape{6, 5, 1}));
  EXPECT_EQ(limit("y = Reshape(flat, int[1,-1,5])\n output y"), (Shape{1, 6, 5}));
  EXPECT_EQ(limit("s = Shape(flat)\n y = ConstantOfShape(s)\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("s = Shape(flat)\n y = Expand(float[0.5], s)\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("s = Shape(flat)\n n = Gather(s, int[0])\n y = Range(int[0], n, int[1])\n output y"), (Shape{6}));
  EXPECT_EQ(limit(R"(
      s = Shape(flat)
      n = Slice(s, int[0], int[1])
      k = Min(n, int[4])
      y = TopK(flat, k) axis=0
      output y)"),
            (Shape{4, 5}));
  EXPECT_EQ(limit("y = Sqrt(flat)\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("y = Unique(flat)\n output y"), (Shape{30}));
  EXPECT_EQ(limit("y = Unique(flat) axis=0\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("y = Split(flat) axis=0\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("t = Unsqueeze(flat) axes=[0]\n y = MaxPool(t) kernel_shape=[2] strides=[2]\n output y"),
            (Shape{1, 6, 2}));
  EXPECT_EQ(limit(R"(
      s = Shape(flat)
      n = Slice(s, int[0], int[1])
      more = Sub(int[9], n)
      zeros = int[0,0,0]
      all = Concat(zeros, more) axis=0
      pairs = Reshape(all, int[2,2])
      turned = Slice(pairs, int[-1], int[-99], int[0], int[-1])
      twice = Transpose(turned) perm=[1,0]
      list = Reshape(twice, int[-1])
      y = Pad(flat, list)
      output y)"),
            (Shape{9, 5}))
      << "as PyTorch exports it";
  EXPECT_EQ(limit("y = Pad(flat, int[1,0,2,0])\n output y"), (Shape{9, 5}));
  EXPECT_EQ(limit("y = NonZero(flat)\n output y"), (Shape{2, 30}));
  EXPECT_EQ(limit("c = Greater(column, int[3])\n y = Compress(flat, c) axis=0\n output y"), (Shape{6, 5}));
  EXPECT_EQ(limit("y = ConstantOfShape(column)\n output y"), std::nullopt) << "content, no size";
}

/// As torchvision's batched_nms: nothing where there are no boxes.
TEST(FuseDynamicPart, BranchesOfWhichOneIsTaken) {
  for (const float least : {0.5f, 2.0f}) {
    Builder b({4, 6});
    b.graph.opset = 13;
    const auto good = b.node("Greater", "good", {b.x, number(b, "least", least)});
    const auto places = b.node("Transpose", "places", {b.node("NonZero", "at", {good})}, {{"perm", Ints{1, 0}}});
    const auto chosen = b.node("GatherND", "chosen", {b.x, places});
    const auto none =
        b.node("Equal", "none", {b.node("Size", "size", {chosen}), b.constant("zero", Tensor::scalar(int64_t{0}))});
    ir::Graph empty, some;
    empty.outputs = {empty.add_constant("nothing", floats({0}, {}))};
    const auto rows = some.add_value({b.graph.value(chosen).name, DType::kUnknown});
    some.inputs = {rows};
    const auto largest = some.add_node("ReduceMax", "largest", {rows});
    some.outputs = {some.add_node("Sub", "below", {rows, largest})};
    const auto y = passes::add_if(b.graph, "if", none, {chosen}, std::move(empty), std::move(some));
    b.graph.outputs = {b.node("Exp", "y", {y})};
    ops::infer_shapes(b.graph);
    const artifact::Program program = compile(b.graph);
    EXPECT_EQ(count_of(program.graph, "If") + count_of(program.graph, "Choose"), 0);
    const std::vector<Tensor> inputs = random_inputs(b.graph);
    std::vector<float> want;
    float most = -2;
    for (const float x : inputs[0].data<float>()) most = std::max(most, x);
    for (const float x : inputs[0].data<float>())
      if (x > least) want.push_back(std::exp(x - most));
    EXPECT_EQ(want.empty(), least > 1);
    want.resize(24);
    const Tensor got = run(program, inputs)[0];
    ASSERT_EQ(got.shape(), (Shape{24}));
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got.data<float>()[i], want[i], 1e-6f) << i;
  }
}

TEST(FuseDynamicPart, NeedsALimit) {
  try {
    compile(after_suppression("y = ConstantOfShape(column)\n output y"));
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("how many values it gives"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace effdet::compiler
