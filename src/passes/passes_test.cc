// Each pass on the smallest graph that it changes: the text afterwards, and equal results on random input.
#include "passes/passes.h"

#include <limits>

#include "passes/test_util.h"

namespace effdet::passes {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool fold(ir::Graph& graph) {
  RewriteBudget budget(graph);
  return fold_constants(graph, {}, budget);
}
bool fold_norms(ir::Graph& graph) {
  RewriteBudget budget(graph);
  return fold_batch_norm(graph, budget);
}
bool fold_affines(ir::Graph& graph) {
  RewriteBudget budget(graph);
  return fold_affine(graph, budget);
}

TEST(FoldConstants, ShapeArithmeticBecomesOneConstant) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 2, 3, 4});
  const auto shape = graph.add_node("Shape", "shape", {x});
  const auto index = graph.add_constant("index", ints({0, 1}));
  const auto head = graph.add_node("Gather", "head", {shape, index});
  const auto rest = graph.add_constant("rest", ints({-1}));
  const auto target = graph.add_node("Concat", "target", {head, rest}, {{"axis", int64_t{0}}});
  graph.outputs = {graph.add_node("Reshape", "y", {x, target})};
  EXPECT_TRUE(apply(fold, graph));
  EXPECT_EQ(lines(graph), "y_output_0 = Reshape(x, target_output_0)\n");
  EXPECT_FALSE(apply(fold, graph));
}

/// A Resize by sizes as exporters write it for a dynamic batch: batch and channels from the input's own shape.
ir::Graph dynamic_resize(const std::vector<int64_t>& height_and_width) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {-1, 2, 3, 4});
  const auto relu = graph.add_node("Relu", "r", {x});
  const auto shape = graph.add_node("Shape", "shape", {relu});
  const auto zero = graph.add_constant("zero", ints({0})), two = graph.add_constant("two", ints({2}));
  const auto own = graph.add_node("Slice", "own", {shape, zero, two});
  const auto sizes = graph.add_node("Concat", "sizes", {own, graph.add_constant("hw", ints(height_and_width))},
                                    {{"axis", int64_t{0}}});
  graph.outputs = {graph.add_node(
      "Resize", "y", {relu, ir::kNoValue, ir::kNoValue, sizes},
      {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}})};
  ops::infer_shapes(graph);
  return graph;
}

TEST(FoldConstants, KnowsDimensionsBesideADynamicBatch) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {-1, 2, 3, 4});
  const auto shape = graph.add_node("Shape", "shape", {x});
  const auto batch = graph.add_node("Gather", "batch", {shape, graph.add_constant("zero", ints({0}))});
  const auto height = graph.add_node("Gather", "height", {shape, graph.add_constant("two", ints({2}))});
  graph.outputs = {graph.add_node("Add", "y", {batch, graph.add_node("Neg", "n", {height})})};
  ops::infer_shapes(graph);
  EXPECT_TRUE(fold(graph));
  graph.compact();
  EXPECT_EQ(lines(graph),
            "shape_output_0 = Shape(x)\nbatch_output_0 = Gather(shape_output_0, zero)\n"
            "y_output_0 = Add(batch_output_0, n_output_0)\n");
  EXPECT_EQ(graph.constant(graph.find_value("n_output_0"))->data<int64_t>()[0], -3);
}

TEST(SizesToScales, KeepsADynamicBatch) {
  ir::Graph graph = dynamic_resize({6, 12});
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{-1, 2, 6, 12}));
  const ir::Graph before = graph;
  EXPECT_TRUE(sizes_to_scales(graph));
  graph.compact();
  EXPECT_EQ(lines(graph), "r_output_0 = Relu(x)\ny_output_0 = Resize(r_output_0, _, y.scales)\n");
  ir::Graph a = before, b = graph;
  for (ir::Graph* each : {&a, &b}) {
    each->value(each->inputs[0]).shape = Shape{3, 2, 3, 4};
    ops::infer_shapes(*each);
  }
  EXPECT_EQ(compare_whole(a, b, {.runs = 1, .seed = 7}).difference, 0);
}

TEST(SizesToScales, LeavesFactorsThatRound) {
  ir::Graph graph = dynamic_resize({7, 12});
  EXPECT_FALSE(sizes_to_scales(graph));
}

TEST(FoldConstants, LeavesWhatWouldGrow) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1});
  const auto one = graph.add_constant("one", floats({1}, {1}));
  const auto size = graph.add_constant("size", ints({1 << 19}));
  const auto big = graph.add_node("Expand", "big", {one, size});  // 2 MB from 12 bytes
  graph.outputs = {graph.add_node("Add", "y", {x, big})};
  EXPECT_FALSE(apply(fold, graph));
  std::vector<std::string> refused;
  const auto note = [&](const std::string& node, uint64_t bytes) {
    refused.push_back(node + " " + std::to_string(bytes));
  };
  RewriteBudget budget(graph);
  EXPECT_FALSE(fold_constants(graph, {.on_growth = note}, budget));
  EXPECT_EQ(refused, std::vector<std::string>{"big " + std::to_string((1 << 21) - 12)});
  EXPECT_TRUE(fold_constants(graph, {.largest_growth = 1 << 21}, budget));
}

TEST(EliminateIdentity, ChainsAndGraphOutputs) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2, 3});
  const auto a = graph.add_node("Identity", "a", {x});
  const auto b = graph.add_node("Relu", "b", {a});
  const auto c = graph.add_node("Cast", "c", {b}, {{"to", int64_t{1}}});
  const auto shape = graph.add_constant("shape", ints({2, -1}));
  const auto d = graph.add_node("Reshape", "d", {c, shape});
  graph.outputs = {graph.add_node("Dropout", "y", {d})};
  EXPECT_TRUE(apply(eliminate_identity, graph));
  EXPECT_EQ(lines(graph), "y_output_0 = Relu(x)\n");
}

TEST(EliminateIdentity, KeepsTheNamesOfInputsAndOutputs) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto relu = graph.add_node("Relu", "r", {x});
  graph.outputs = {graph.add_node("Identity", "y", {x}), relu, graph.add_node("Identity", "z", {relu})};
  EXPECT_FALSE(apply(eliminate_identity, graph));
  EXPECT_EQ(graph.nodes.size(), 3u);
}

TEST(EliminateIdentity, KeepsWhatChangesSomething) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 3, 3});
  const auto a = graph.add_node("Transpose", "a", {x}, {{"perm", List{0, 2, 1}}});
  const auto b = graph.add_node("Pad", "b", {a, graph.add_constant("pads", ints({0, 0, 1, 0, 0, -1}))});
  const auto start = graph.add_constant("start", ints({-1})), end = graph.add_constant("end", ints({-4})),
             axis = graph.add_constant("axis", ints({1})), step = graph.add_constant("step", ints({-1}));
  graph.outputs = {graph.add_node("Slice", "y", {b, start, end, axis, step})};
  EXPECT_FALSE(apply(eliminate_identity, graph));
}

TEST(MergeEqualNodes, CommonSubexpressions) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_node("LeakyRelu", "a", {x}, {{"alpha", 0.5f}});
  const auto b = graph.add_node("LeakyRelu", "b", {x}, {{"alpha", 0.5f}});
  const auto c = graph.add_node("LeakyRelu", "c", {x}, {{"alpha", 0.25f}});
  const auto na = graph.add_node("Neg", "na", {a}), nb = graph.add_node("Neg", "nb", {b});
  graph.outputs = {graph.add_node("Sum", "y", {na, nb, c})};
  EXPECT_TRUE(apply(merge_equal_nodes, graph));
  EXPECT_EQ(lines(graph),
            "a_output_0 = LeakyRelu(x)\nc_output_0 = LeakyRelu(x)\nna_output_0 = Neg(a_output_0)\n"
            "y_output_0 = Sum(na_output_0, na_output_0, c_output_0)\n");
}

TEST(MergeEqualConstants, SameTypeShapeAndBytes) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_constant("a", floats({2}, {1, 2})), b = graph.add_constant("b", floats({2}, {1, 2})),
             c = graph.add_constant("c", floats({1, 2}, {1, 2})), d = graph.add_constant("d", floats({2}, {1, 3}));
  graph.outputs = {graph.add_node("Sum", "y", {x, a, b, c, d})};
  EXPECT_TRUE(apply(merge_equal_constants, graph));
  EXPECT_EQ(lines(graph), "y_output_0 = Sum(x, a, a, c, d)\n");
}

/// x -> Conv, depthwise or dense, with or without bias.
ir::ValueId add_conv(ir::Graph& graph, ir::ValueId x, bool depthwise, bool bias) {
  std::vector<ir::ValueId> inputs{x, graph.add_constant("w", waves(depthwise ? Shape{4, 1, 3, 3} : Shape{4, 4, 3, 3}))};
  if (bias) inputs.push_back(graph.add_constant("b", waves({4})));
  return graph.add_node("Conv", "conv", inputs, {{"group", int64_t{depthwise ? 4 : 1}}});
}

std::vector<ir::ValueId> norm_inputs(ir::Graph& graph, ir::ValueId x, const std::string& prefix = "") {
  return {x, graph.add_constant(prefix + "gamma", waves({4}, 1)), graph.add_constant(prefix + "beta", waves({4}, 2)),
          graph.add_constant(prefix + "mean", waves({4}, 3)),
          graph.add_constant(prefix + "variance", floats({4}, {0.5f, 1, 1.5f, 0.001f}))};
}

TEST(FoldBatchNorm, DenseAndDepthwiseWithAndWithoutBias) {
  for (bool depthwise : {false, true}) {
    for (bool bias : {false, true}) {
      ir::Graph graph;
      const auto x = graph.add_input("x", DType::kF32, {2, 4, 5, 5});
      const auto y = add_conv(graph, x, depthwise, bias);
      graph.outputs = {graph.add_node("BatchNormalization", "bn", norm_inputs(graph, y), {{"epsilon", 1e-3f}})};
      EXPECT_TRUE(apply(fold_norms, graph));
      EXPECT_EQ(lines(graph), bias ? "bn_output_0 = Conv(x, w, b)\n" : "bn_output_0 = Conv(x, w, conv.folded_bias)\n");
    }
  }
}

TEST(FoldBatchNorm, IntoTransposedConvolutionsOfGroups) {
  for (const int64_t groups : {1, 2}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {2, 6, 3, 3});
    const auto w = graph.add_constant("w", waves({6, 4 / groups, 2, 2}));
    const auto y = graph.add_node("ConvTranspose", "up", {x, w}, {{"group", groups}});
    graph.outputs = {graph.add_node("BatchNormalization", "bn", norm_inputs(graph, y))};
    EXPECT_TRUE(apply(fold_norms, graph));
    EXPECT_EQ(lines(graph), "bn_output_0 = ConvTranspose(x, w, up.folded_bias)\n");
  }
}

TEST(FoldBatchNorm, CopiesSharedWeights) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 4, 5, 5});
  const auto w = graph.add_constant("w", waves({4, 4, 1, 1}));
  for (const char* name : {"p3", "p4"}) {
    const auto y = graph.add_node("Conv", name, {x, w});
    graph.outputs.push_back(
        graph.add_node("BatchNormalization", std::string(name) + ".bn", norm_inputs(graph, y, name)));
  }
  EXPECT_TRUE(apply(fold_norms, graph));
  EXPECT_EQ(lines(graph),
            "p3.bn_output_0 = Conv(x, p3.folded_weight, p3.folded_bias)\n"
            "p4.bn_output_0 = Conv(x, p4.folded_weight, p4.folded_bias)\n");
}

TEST(FoldBatchNorm, EachConvOfAConcatGetsItsChannels) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2, 4, 5, 5});
  std::vector<ir::ValueId> parts;
  for (const auto& [name, channels] : {std::pair{"a", 1}, std::pair{"b", 3}}) {
    const auto w = graph.add_constant(std::string(name) + ".w", waves({channels, 4, 1, 1}));
    parts.push_back(graph.add_node("Conv", name, {x, w}));
  }
  const auto y = graph.add_node("Concat", "mixed", parts, {{"axis", int64_t{1}}});
  graph.outputs = {graph.add_node("BatchNormalization", "bn", norm_inputs(graph, y))};
  EXPECT_TRUE(apply(fold_norms, graph));
  EXPECT_EQ(lines(graph),
            "a_output_0 = Conv(x, a.w, a.folded_bias)\nb_output_0 = Conv(x, b.w, b.folded_bias)\n"
            "bn_output_0 = Concat(a_output_0, b_output_0)\n");
}

TEST(FoldBatchNorm, LeavesAConvThatOthersRead) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 4, 5, 5});
  const auto y = add_conv(graph, x, false, true);
  graph.outputs = {graph.add_node("BatchNormalization", "bn", norm_inputs(graph, y)), y};
  EXPECT_FALSE(apply(fold_norms, graph));
}

TEST(FoldAffine, MulAddSubDivPerChannel) {
  const Tensor channel = waves({4, 1, 1}), scalar = floats({}, {0.5f});
  for (const char* op : {"Mul", "Add", "Sub", "Div"}) {
    for (const Tensor& constant : {channel, scalar}) {
      for (bool constant_first : {false, true}) {
        ir::Graph graph;
        const auto x = graph.add_input("x", DType::kF32, {1, 4, 5, 5});
        const auto y = add_conv(graph, x, false, true), c = graph.add_constant("c", constant);
        graph.outputs = {graph.add_node(op, "y", constant_first ? std::vector{c, y} : std::vector{y, c})};
        const bool commutes = std::string(op) == "Mul" || std::string(op) == "Add";
        EXPECT_EQ(apply(fold_affines, graph), commutes || !constant_first) << op;
      }
    }
  }
}

TEST(FoldAffine, LeavesWhatIsNotPerChannel) {
  for (const Shape& shape : {Shape{5}, Shape{4, 5, 5}, Shape{2, 4, 1, 1}, Shape{1, 1, 1, 1, 1}}) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {1, 4, 7, 7});
    const auto y = add_conv(graph, x, false, true), c = graph.add_constant("c", waves(shape));
    graph.outputs = {graph.add_node("Mul", "y", {y, c})};
    EXPECT_FALSE(apply(fold_affines, graph)) << shape_text(shape);
  }
}

/// x -> Relu (if asked for) -> Pad by one row at the top and two columns at the end -> reader.
ir::Graph padded(float value, bool relu, const std::string& op, Attributes attributes) {
  ir::Graph graph;
  ir::ValueId x = graph.add_input("x", DType::kF32, {1, 4, 6, 6});
  if (relu) x = graph.add_node("Relu", "relu", {x});
  const auto pads = graph.add_constant("pads", ints({0, 0, 1, 0, 0, 0, 0, 2}));
  const auto fill = graph.add_constant("fill", floats({}, {value}));
  std::vector<ir::ValueId> inputs{graph.add_node("Pad", "pad", {x, pads, fill})};
  if (op == "Conv") inputs.push_back(graph.add_constant("w", waves({2, 4, 3, 3})));
  graph.outputs = {graph.add_node(op, "y", inputs, std::move(attributes))};
  return graph;
}

TEST(FoldPad, ZerosIntoConv) {
  ir::Graph graph = padded(0, false, "Conv", {{"pads", List{0, 1, 0, 0}}, {"strides", List{2, 2}}});
  EXPECT_TRUE(apply(fold_pad, graph));
  EXPECT_EQ(lines(graph), "y_output_0 = Conv(x, w)\n");
  EXPECT_EQ(graph.nodes[0].get_ints("pads", {}), (List{1, 1, 0, 2}));
}

TEST(FoldPad, MaxPoolTakesInfinityAndZerosOfWhatIsNeverNegative) {
  const Attributes window{{"kernel_shape", List{3, 3}}, {"strides", List{2, 2}}};
  ir::Graph infinite = padded(-kInfinity, false, "MaxPool", window), zeros = padded(0, false, "MaxPool", window),
            relu = padded(0, true, "MaxPool", window), ones = padded(1, true, "MaxPool", window);
  EXPECT_TRUE(apply(fold_pad, infinite));
  EXPECT_EQ(lines(infinite), "y_output_0 = MaxPool(x)\n");
  EXPECT_FALSE(apply(fold_pad, zeros));
  EXPECT_TRUE(apply(fold_pad, relu));
  EXPECT_FALSE(apply(fold_pad, ones));
}

TEST(FoldPad, LeavesWindowsThatWouldSeeOnlyPadding) {
  ir::Graph graph = padded(-kInfinity, false, "MaxPool", {{"kernel_shape", List{1, 2}}, {"strides", List{2, 2}}});
  ops::infer_shapes(graph);
  EXPECT_FALSE(fold_pad(graph));
}

TEST(StackToSum, SumOfThree) {
  for (int64_t opset : {11, 13}) {
    ir::Graph graph;
    graph.opset = opset;
    const auto axes = graph.add_constant("axes", ints({-1}));
    const auto node = [&](const char* op, const char* name, ir::ValueId in, Attributes attributes = {}) {
      if (opset < 13) attributes["axes"] = List{-1};
      return graph.add_node(op, name, opset < 13 ? std::vector{in} : std::vector{in, axes}, std::move(attributes));
    };
    std::vector<ir::ValueId> terms;
    for (const char* name : {"a", "b", "c"})
      terms.push_back(
          node("Unsqueeze", (std::string(name) + "_up").c_str(), graph.add_input(name, DType::kF32, {1, 2, 3})));
    const auto stack = graph.add_node("Concat", "stack", terms, {{"axis", int64_t{-1}}});
    graph.outputs = {node("ReduceSum", "y", stack, {{"keepdims", int64_t{0}}})};
    EXPECT_TRUE(apply(stack_to_sum, graph));
    EXPECT_EQ(lines(graph), "y_output_0 = Sum(a, b, c)\n");
  }
}

TEST(StackToSum, LeavesSumsOverOtherAxes) {
  ir::Graph graph;
  std::vector<ir::ValueId> terms;
  for (const char* name : {"a", "b"})
    terms.push_back(graph.add_node("Unsqueeze", std::string(name) + "_up", {graph.add_input(name, DType::kF32, {2, 2})},
                                   {{"axes", List{0}}}));
  const auto stack = graph.add_node("Concat", "stack", terms, {{"axis", int64_t{0}}});
  graph.outputs = {graph.add_node("ReduceSum", "y", {stack}, {{"axes", List{1}}, {"keepdims", int64_t{0}}})};
  EXPECT_FALSE(apply(stack_to_sum, graph));
}

TEST(MergeScales, FusionWeights) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2, 3});
  const auto weight = graph.add_constant("weight", floats({}, {3})), sum = graph.add_constant("sum", floats({1}, {4}));
  const auto scaled = graph.add_node("Mul", "scaled", {weight, x});
  graph.outputs = {graph.add_node("Div", "y", {scaled, sum})};
  EXPECT_TRUE(apply(merge_scales, graph));
  EXPECT_EQ(lines(graph), "y_output_0 = Mul(x, y.factor)\n");
  EXPECT_EQ(graph.constant(graph.find_value("y.factor"))->data<float>()[0], 0.75f);
}

TEST(MergeScales, KeepsTheRankThatBroadcastingAdds) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_constant("a", floats({1, 1}, {3})), b = graph.add_constant("b", floats({}, {4}));
  graph.outputs = {graph.add_node("Mul", "y", {graph.add_node("Mul", "m", {x, a}), b})};
  EXPECT_TRUE(apply(merge_scales, graph));
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{1, 2}));
}

/// A GlobalAveragePool of the input, at an opset.
ir::Graph global_pool(int64_t opset, Shape shape) {
  ir::Graph graph;
  graph.opset = opset;
  graph.outputs = {graph.add_node("GlobalAveragePool", "y", {graph.add_input("x", DType::kF32, std::move(shape))})};
  return graph;
}

TEST(PoolsToMeans, AxesAreAnAttributeBelowOpset18AndAnInputFromThereOn) {
  ir::Graph before = global_pool(17, {2, 3, 4, 5}), since = global_pool(18, {2, 3, 4, 5});
  EXPECT_TRUE(apply(pools_to_means, before));
  EXPECT_TRUE(apply(pools_to_means, since));
  EXPECT_EQ(lines(before), "y_output_0 = ReduceMean(x)\n");
  EXPECT_EQ(before.nodes[0].get_ints("axes", {}), (List{2, 3}));
  EXPECT_EQ(before.nodes[0].get_int("keepdims", 0), 1);
  EXPECT_EQ(lines(since), "y_output_0 = ReduceMean(x, y.axes)\n");
  EXPECT_FALSE(since.nodes[0].find("axes"));
}

TEST(PoolsToMeans, AnyNumberOfSpatialAxesAndADynamicBatch) {
  ir::Graph line = global_pool(11, {2, 3, 4}), volume = global_pool(11, {1, 2, 3, 4, 5});
  EXPECT_TRUE(apply(pools_to_means, line));
  EXPECT_TRUE(apply(pools_to_means, volume));
  EXPECT_EQ(line.nodes[0].get_ints("axes", {}), (List{2}));
  EXPECT_EQ(volume.nodes[0].get_ints("axes", {}), (List{2, 3, 4}));
  ir::Graph batches = global_pool(11, {-1, 3, -1, -1});
  ops::infer_shapes(batches);
  EXPECT_TRUE(pools_to_means(batches));
  ops::infer_shapes(batches);
  EXPECT_EQ(batches.value(batches.outputs[0]).shape, (Shape{-1, 3, 1, 1}));
}

}  // namespace
}  // namespace effdet::passes
