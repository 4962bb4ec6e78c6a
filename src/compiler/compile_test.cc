// Whole programs against the reference run of the graph that they came from.
#include <map>

#include "base/error.h"
#include "base/memory.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(Compile, EverythingTogether) {
  const artifact::Program program = expect_same(whole_network());
  const auto names = implementations(program);
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
}

TEST(Compile, OperatorsWithoutAKernelRunOnTheReference) {
  Builder b({1, 4, 6, 6});
  const auto conv = b.conv("conv", b.x, {8, 4, 3, 3});
  const auto odd = b.node("LRN", "norm", {conv}, {{"size", int64_t{3}}});
  const auto again = b.conv("again", odd, {8, 8, 1, 1});
  const auto flat = b.node("Reshape", "flat", {again, b.constant("shape", ints({1, -1}))});
  b.graph.outputs = {b.node("Hardmax", "y", {flat}, {{"axis", int64_t{1}}})};
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(names, (std::vector<std::string>{"cpu:gemm", "cpu:transpose", "reference", "cpu:transpose", "cpu:gemm",
                                             "cpu:transpose", "cpu:copy", "reference"}));
}

TEST(Compile, OutputsThatAreInputsConstantsOrEachOther) {
  Builder b({1, 2, 3, 3});
  const auto relu = b.node("Relu", "relu", {b.x});
  b.graph.outputs = {b.x, b.constant("c", waves({2, 2})), relu, relu, b.x};
  expect_same(b.graph);
}

TEST(Compile, NoStepsAtAll) {
  Builder b({1, 2});
  b.graph.outputs = {b.x};
  expect_same(b.graph);
}

TEST(Compile, AnotherBatch) {
  Builder b({1, 3, 8, 8});
  const auto conv = b.conv("conv", b.x, {4, 3, 3, 3});
  b.graph.outputs = {b.node("Reshape", "y", {conv, b.constant("shape", ints({1, 4, 64}))})};
  const artifact::Program program = compile(b.graph, {.input_shapes = {{"x", {3, 3, 8, 8}}}});
  EXPECT_EQ(*program.graph.value(program.graph.outputs[0]).shape, (Shape{3, 4, 64}));
  const Tensor batch = waves({3, 3, 8, 8});
  const Tensor got = run(program, std::span(&batch, 1))[0];
  const artifact::Program single = compile(b.graph);
  for (size_t i = 0; i < 3; ++i) {
    const Tensor image = Tensor::from<float>({1, 3, 8, 8}, batch.data<float>().subspan(i * 192, 192));
    const Tensor want = run(single, std::span(&image, 1))[0];
    EXPECT_TRUE(std::ranges::equal(got.data<float>().subspan(i * 256, 256), want.data<float>())) << i;
  }
}

/// A batch of many sizes: what each size folds to is its own, and all plans lie in one file.
TEST(Compile, PlansForManyShapesShareOneBudget) {
  Builder b({-1, 1});
  const auto batch = b.node("Shape", "shape", {b.x});                                          // [n, 1]
  const auto wide = b.node("Mul", "wide", {batch, b.constant("widths", ints({1, 1 << 17}))});  // 512 KiB an image
  const auto filled = b.node("ConstantOfShape", "filled", {wide});
  for (int i = 0; i < 10; ++i) {
    const std::string name = "sum" + std::to_string(i);
    const auto own =
        b.node("Add", name + ".fold", {filled, b.constant(name + ".k", floats({1}, {static_cast<float>(i)}))});
    b.graph.outputs.push_back(b.node("Add", name, {own, b.x}));
  }
  std::vector<std::map<std::string, Shape>> shapes;
  for (int64_t n = 1; n <= 12; ++n) shapes.push_back({{"x", {n, 1}}});
  constexpr uint64_t kRoom = 16 << 20;
  const MemoryBudget memory(uint64_t{1} << 31);
  const std::vector<artifact::Program> plans =
      compile_plans(b.graph, {.split_batch = false, .most_growth = kRoom}, shapes);
  EXPECT_LE(artifact::weight_bytes(plans), 2 * kRoom);
  EXPECT_LE(memory.peak(), 4 * kRoom);
}

TEST(Compile, RefusesShapesThatStayUnknown) {
  Builder b({-1, 3, 8, 8});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3})};
  EXPECT_THROW(compile(b.graph), Error);
  EXPECT_THROW(compile(b.graph, {.input_shapes = {{"nobody", {1, 3, 8, 8}}}}), Error);
  EXPECT_NO_THROW(compile(b.graph, {.input_shapes = {{"x", {1, 3, 8, 8}}}}));
}

TEST(Compile, SaysWhichShapesToGive) {
  Builder b({-1, 3, -1, 64});
  const auto ids = b.graph.add_input("ids", DType::kI64, {0, 20});
  b.graph.outputs = {b.node("Relu", "y", {b.x}), b.node("Neg", "z", {ids})};
  try {
    compile(b.graph);
    FAIL() << "compiled";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("--input_shape=\"x:1,3,512,64;ids:1,20\""), std::string::npos) << text;
  }
}

TEST(Compile, AnOutputThatIsAConstant) {
  Builder b({1, 3, 4, 4});
  ir::Graph& graph = b.graph;
  const auto anchors = b.node("Constant", "anchors", {}, {{"value", waves({1, 6, 4})}});
  graph.outputs = {b.node("Relu", "relu", {b.x}), anchors};
  graph.value(anchors).name = "anchors";
  expect_same(graph);
  const artifact::Program program = compile(graph);
  EXPECT_EQ(program.graph.value(program.graph.outputs[1]).name, "anchors");
}

TEST(Compile, TensorsAmongAttributesBecomeConstants) {
  Builder b({1, 3, 4, 4});
  const Shape large{1, 3, 512, 512};  // more than simplification folds
  const auto filled = b.node("ConstantOfShape", "filled", {b.constant("shape", ints(large))},
                             {{"value", Tensor::from<float>({1}, std::vector<float>{0.5f})}});
  const auto zeros = b.node("ConstantOfShape", "zeros", {b.constant("shape1", ints({1, 3, 512, 512}))});
  const auto held = b.node("Constant", "held", {}, {{"value", waves(large)}});
  const auto sum = b.node("Sum", "sum", {filled, zeros, held, b.up("up", b.x, 128)});
  b.graph.outputs = {sum};
  for (const ir::Node& node : expect_same(b.graph).graph.nodes)
    for (const auto& [name, value] : node.attributes) EXPECT_FALSE(std::holds_alternative<Tensor>(value)) << name;
}

TEST(Compile, ReductionsOfOtherRanks) {
  for (const Shape& shape : {Shape{2, 3, 4, 5, 6}, Shape{2, 3, 4}}) {
    Builder b(shape);
    const ir::ValueId pooled = b.node("GlobalAveragePool", "pool", {b.x});
    const auto last = static_cast<int64_t>(shape.size()) - 1;
    const ir::ValueId most = b.node("ReduceMax", "most", {b.x}, {{"axes", std::vector<int64_t>{0, -2, last}}});
    b.graph.outputs = {pooled, most};
    expect_same(b.graph);
  }
}

TEST(Compile, OutputsKeepTheirNames) {
  Builder b({1, 2, 4, 4});
  const ir::ValueId relu = b.node("Relu", "relu", {b.x}), constant = b.constant("k", floats({2}, {1, 2}));
  const ir::ValueId copy = b.node("Identity", "copy", {relu}), input = b.node("Identity", "input", {b.x});
  // One that has the name which the copy of the input would get.
  const ir::ValueId taken = b.scale("taken", relu, 2);
  b.graph.value(taken).name = b.graph.value(b.x).name + "_copy0";
  b.graph.outputs = {b.x, relu, constant, copy, input, taken};
  std::vector<std::string> names;
  for (const ir::ValueId id : b.graph.outputs) names.push_back(b.graph.value(id).name);
  const artifact::Program program = expect_same(b.graph);
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(program.graph.value(program.graph.outputs[i]).name, names[i]);
  EXPECT_EQ(program.graph.value(program.graph.inputs[0]).name, names[0]);
}

TEST(Compile, NamesThatRewritesWouldChoose) {
  Builder b({1, 4, 4, 4});
  const auto w = b.constant("w", waves({4, 4, 1, 1})), clash = b.constant("w_packed", waves({4, 4, 1, 1}, 3));
  const auto pool = b.pool("pool", b.x, {1, 1, 1, 1});
  const auto a = b.node("Conv", "a", {pool, w});
  b.graph.value(a).name = "x_nhwc";
  b.graph.outputs = {b.node("Conv", "b", {a, clash})};
  b.graph.value(b.graph.outputs[0]).name = "x_copy0_output_0";
  expect_same(b.graph);
}

TEST(Compile, ReportsEveryStage) {
  Builder b({1, 3, 8, 8});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3})};
  std::vector<std::string> stages;
  compile(b.graph, {.on_stage = [&](std::string_view stage, const ir::Graph&) { stages.emplace_back(stage); }});
  ASSERT_GT(stages.size(), 3u);
  EXPECT_EQ(stages.front(), "simplify");
  EXPECT_EQ(stages.back(), "absorb_quantization");
}

/// A transformer's block on tokens, layer norm and GELU as exporters spell them: every step on a fast kernel.
TEST(Compile, ATransformerBlock) {
  Builder b({1, 6, 16});
  const auto constant = [&](const std::string& name, float value) { return b.constant(name, floats({}, {value})); };
  const auto mean = b.node("ReduceMean", "mean", {b.x}, {{"axes", Ints{-1}}});
  const auto centred = b.node("Sub", "centred", {b.x, mean});
  const auto variance =
      b.node("ReduceMean", "variance", {b.node("Pow", "square", {centred, constant("two", 2)})}, {{"axes", Ints{-1}}});
  const auto deviation = b.node("Sqrt", "deviation", {b.node("Add", "plus", {variance, constant("epsilon", 1e-5f)})});
  const auto norm =
      b.node("Mul", "norm", {b.node("Div", "scaled", {centred, deviation}), b.constant("gamma", waves({16}, 1))});
  const auto heads = [&](const std::string& name, Ints order) {
    const auto rows =
        b.node("MatMul", name, {norm, b.constant(name + ".w", waves({16, 16}, static_cast<float>(name.size())))});
    const auto split = b.node("Reshape", name + ".split", {rows, b.constant(name + ".s", ints({1, 6, 4, 4}))});
    return b.node("Transpose", name + ".heads", {split}, {{"perm", std::move(order)}});
  };
  const auto scores = b.node("MatMul", "scores", {heads("q", {0, 2, 1, 3}), heads("key", {0, 2, 3, 1})});
  b.graph.opset = 13;
  const auto weights = b.node("Softmax", "weights", {b.scale("sharpness", scores, 0.5f)}, {{"axis", int64_t{-1}}});
  const auto mixed = b.node("MatMul", "mixed", {weights, heads("value", {0, 2, 1, 3})});
  const auto joined = b.node(
      "Reshape", "joined",
      {b.node("Transpose", "together", {mixed}, {{"perm", Ints{0, 2, 1, 3}}}), b.constant("shape", ints({1, 6, 16}))});
  const auto attended =
      b.node("Add", "attended", {b.x, b.node("MatMul", "project", {joined, b.constant("p", waves({16, 16}, 5))})});
  const auto hidden = b.node("MatMul", "hidden", {attended, b.constant("u", waves({16, 64}, 6))});
  const auto erf = b.node("Erf", "erf", {b.node("Div", "over", {hidden, constant("root", 1.41421356f)})});
  const auto gelu =
      b.node("Mul", "half",
             {b.node("Mul", "gelu", {hidden, b.node("Add", "one", {erf, constant("1", 1)})}), constant("0.5", 0.5f)});
  b.graph.outputs = {
      b.node("Add", "y", {attended, b.node("MatMul", "down", {gelu, b.constant("d", waves({64, 16}, 7))})})};
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0);
}

}  // namespace
}  // namespace effdet::compiler
