// simplify() as a whole, and the check that comes with it.
#include "passes/pipeline.h"

#include "passes/test_util.h"

namespace effdet::passes {
namespace {

/// Conv, BatchNormalization, swish, and a sum of a stack of two weighted levels: EfficientDet's patterns.
ir::Graph block(int64_t side) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 3, side, side});
  const auto conv = graph.add_node("Conv", "conv", {x, graph.add_constant("w", waves({4, 3, 3, 3}))},
                                   {{"pads", List{1, 1, 1, 1}}, {"strides", List{2, 2}}});
  std::vector<ir::ValueId> norm{conv};
  for (const char* name : {"gamma", "beta", "mean"})
    norm.push_back(graph.add_constant(name, waves({4}, static_cast<float>(norm.size()))));
  norm.push_back(graph.add_constant("variance", floats({4}, {1, 2, 3, 4})));
  const auto bn = graph.add_node("BatchNormalization", "bn", norm);
  const auto swish = graph.add_node("Mul", "swish", {bn, graph.add_node("Sigmoid", "sigmoid", {bn})});
  const auto pool = graph.add_node("MaxPool", "pool", {swish}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}});
  const auto sizes = graph.add_constant("sizes", ints({1, 4, side / 2, side / 2}));
  const auto up = graph.add_node("Resize", "up", {pool, ir::kNoValue, ir::kNoValue, sizes});
  std::vector<ir::ValueId> terms;
  for (const auto& [level, weight] : {std::pair{swish, 0.25f}, std::pair{up, 0.75f}}) {
    const std::string name = "level" + std::to_string(terms.size());
    const auto relu =
        graph.add_node("Relu", name + ".relu", {graph.add_constant(name + ".weight", floats({}, {weight}))});
    const auto scaled = graph.add_node("Mul", name + ".scaled", {level, relu});
    const auto divided =
        graph.add_node("Div", name + ".divided", {scaled, graph.add_constant(name + ".sum", floats({}, {1.0001f}))});
    terms.push_back(graph.add_node("Unsqueeze", name + ".up", {divided}, {{"axes", List{4}}}));
  }
  const auto stack = graph.add_node("Concat", "stack", terms, {{"axis", int64_t{4}}});
  graph.outputs = {graph.add_node("ReduceSum", "sum", {stack}, {{"axes", List{4}}, {"keepdims", int64_t{0}}})};
  return graph;
}

TEST(Simplify, AllPatternsTogether) {
  const ir::Graph before = block(16);
  ir::Graph graph = before;
  std::vector<std::string> log;
  simplify(graph, {.on_change = [&](std::string_view line) { log.emplace_back(line); }});
  EXPECT_EQ(lines(graph),
            "bn_output_0 = Conv(x, w, conv.folded_bias)\n"
            "sigmoid_output_0 = Sigmoid(bn_output_0)\n"
            "swish_output_0 = Mul(bn_output_0, sigmoid_output_0)\n"
            "pool_output_0 = MaxPool(swish_output_0)\n"
            "up_output_0 = Resize(pool_output_0, _, _, sizes)\n"
            "level0.divided_output_0 = Mul(swish_output_0, level0.divided.factor)\n"
            "level1.divided_output_0 = Mul(up_output_0, level1.divided.factor)\n"
            "sum_output_0 = Add(level0.divided_output_0, level1.divided_output_0)\n");
  EXPECT_FALSE(log.empty());
  EXPECT_LT(compare_whole(before, graph, {.runs = 3, .seed = 1}).difference, 1e-5);
  const std::string once = ir::to_text(graph);
  simplify(graph);
  EXPECT_EQ(ir::to_text(graph), once);  // nothing is left to do
}

TEST(Simplify, SwitchesAndInputShapes) {
  ir::Graph graph = block(16);
  simplify(graph, {.fuse_batch_norm = false, .input_shapes = {{"x", {2, 3, 16, 16}}}});
  EXPECT_EQ(graph.nodes[1].op, "BatchNormalization");
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 4, 8, 8}));
}

TEST(BadInput, Case62_UnknownOperator) {
  ir::Graph graph;
  graph.outputs = {graph.add_node("Frobnicate", "n1", {graph.add_input("x", DType::kF32, {1})})};
  simplify(graph);  // it may be cut off yet
  EXPECT_EQ(graph.nodes.size(), 1u);
  try {
    ops::require_supported(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(error.what(), "unsupported operator Frobnicate (domain 'ai.onnx', opset 11), node 'n1'");
  }
}

TEST(CompareWhole, ReducesLargeImages) {
  const ir::Graph before = block(512);
  ir::Graph after = before;
  simplify(after);
  EXPECT_LT(compare_whole(before, after, {.runs = 1, .seed = 1}).difference, 1e-5);
}

TEST(CompareWhole, SeesDifferences) {
  const ir::Graph a = block(16);
  ir::Graph b = a;
  b.value(b.find_value("level0.weight")).constant = floats({}, {0.26f});
  EXPECT_GT(compare_whole(a, b, {.runs = 1, .seed = 1}).difference, 1e-4);
  ir::Graph c = a;
  c.outputs.push_back(c.outputs[0]);
  EXPECT_TRUE(std::isinf(compare_whole(a, c, {.runs = 1, .seed = 1}).difference));
  EXPECT_THROW(compare_whole(a, block(32), {.runs = 1, .seed = 1}).difference, Error);
}

/// The place of the larger of two numbers that differ by a rounding error.
ir::Graph close_choice(bool swapped, float factor = 1.0000002f) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 8});
  const auto factor_id = graph.add_constant("factor", floats({}, {factor}));
  const auto y = graph.add_node("Mul", "mul", {x, factor_id});
  const auto both =
      graph.add_node("Concat", "both", swapped ? std::vector{y, x} : std::vector{x, y}, {{"axis", int64_t{0}}});
  const auto best = graph.add_node("ArgMax", "best", {both}, {{"axis", int64_t{0}}});
  graph.outputs = {graph.add_node("Identity", "place", {best})};
  return graph;
}

TEST(CompareWhole, ForgivesChoicesBetweenEquals) {
  EXPECT_LT(compare_whole(close_choice(false), close_choice(true), {.runs = 1, .seed = 1}).difference, 1e-6);
  EXPECT_GT(compare_whole(close_choice(false, 2), close_choice(true, 2), {.runs = 1, .seed = 1}).difference, 0.1);
}

TEST(Simplify, OutputsStayWhatTheFileDeclares) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2, 3}), list = graph.add_input("list", DType::kI64, {-1});
  const auto shaped = graph.add_node("Reshape", "shaped", {x, list});
  const auto y = graph.add_node("Identity", "y", {shaped});
  graph.outputs = {y};
  const auto declared = std::make_shared<const std::string>("of y");
  graph.value(shaped).declared = std::make_shared<const std::string>("of another value");
  graph.value(y).declared = declared;
  ir::Graph reshaped = graph;
  simplify(graph);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.value(graph.outputs[0]).declared, declared);
  simplify(reshaped, {.input_shapes = {{"x", {4, 3}}}});
  EXPECT_EQ(reshaped.value(reshaped.outputs[0]).declared, nullptr) << "that was for another size";
}

}  // namespace
}  // namespace effdet::passes
