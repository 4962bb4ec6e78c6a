// The compiler's rewrites on the smallest graphs that they change, the memory plan, and whole programs against the
// reference run of the graph that they came from.
#include "compiler/compile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>

#include "base/error.h"
#include "base/memory.h"
#include "base/sanitizer.h"
#include "compiler/passes.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

// --- Rewrites

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
ir::Graph first_boxes(int64_t count, int64_t start = 0) {
  Builder b({1, 12, 4});
  const auto scores = b.graph.add_input("scores", DType::kF32, {1, 3, 12});
  const auto rows = b.graph.add_input("rows", DType::kF32, {12, 5});
  const auto kept = b.node("NonMaxSuppression", "nms",
                           {b.x, scores, b.constant("most", ints({2})), b.constant("iou", floats({}, {0.1f}))});
  const auto column = b.node("Gather", "column", {kept, b.constant("two", ints({2}))}, {{"axis", int64_t{1}}});
  const auto indices = b.node("Squeeze", "indices", {column}, {{"axes", Ints{1}}});
  const auto first = b.node("Slice", "first",
                            {indices, b.constant("start", ints({start})), b.constant("count", ints({count})),
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

TEST(FuseBoxSelection, NeedsAFixedNumber) {
  ir::Graph graph = first_boxes(8, 1);
  try {
    compile(graph);
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("how many values it gives"), std::string::npos) << error.what();
  }
}

TEST(FuseActivations, EveryKind) {
  Builder b({1, 4, 2, 2});
  const auto swish = b.swish("swish", b.x), relu = b.node("Relu", "relu", {swish}),
             sigmoid = b.node("Sigmoid", "sigmoid", {relu});
  const auto zero = b.constant("zero", floats({}, {0})), six = b.constant("six", floats({}, {6})),
             five = b.constant("five", floats({}, {5}));
  const auto relu6 = b.node("Clip", "relu6", {sigmoid, zero, six});
  b.graph.outputs = {b.node("Clip", "other", {relu6, zero, five})};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations}),
            "swish_output_0 = Activation(x)\nrelu_output_0 = Activation(swish_output_0)\n"
            "sigmoid_output_0 = Activation(relu_output_0)\nrelu6_output_0 = Activation(sigmoid_output_0)\n"
            "other_output_0 = Clip(relu6_output_0, zero, five)\n");
  EXPECT_EQ(b.graph.nodes[0].get_string("activation", ""), "swish");
  EXPECT_EQ(b.graph.nodes[3].get_string("activation", ""), "relu6");
}

TEST(FuseActivations, ThoseOfNewerBackbones) {
  Builder b({1, 4, 2, 2});
  const Attributes sixth{{"alpha", 1.0f / 6}};
  const auto leaky = b.node("LeakyRelu", "leaky", {b.x}),
             steep = b.node("LeakyRelu", "steep", {leaky}, {{"alpha", 0.1f}});
  const auto mish = b.node("Mul", "mish", {steep, b.node("Tanh", "tanh", {b.node("Softplus", "softplus", {steep})})});
  const auto swish = b.node("Mul", "swish", {b.node("HardSigmoid", "gate", {mish}, sixth), mish});
  const auto hard = b.node("HardSigmoid", "hard", {swish}, sixth);
  b.graph.outputs = {b.node("HardSigmoid", "other", {hard})};
  rewritten(b.graph, {fuse_activations});
  std::vector<std::string> kinds;
  for (const ir::Node& node : b.graph.nodes) kinds.push_back(node.get_string("activation", node.op));
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"leakyrelu", "LeakyRelu", "mish", "hardswish", "hardsigmoid", "HardSigmoid"}));
}

TEST(FuseActivations, KeepsASigmoidThatOthersRead) {
  Builder b({1, 4, 2, 2});
  const auto gate = b.node("Sigmoid", "gate", {b.x});
  b.graph.outputs = {b.node("Mul", "swish", {gate, b.x}), gate};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations}), "gate_output_0 = Activation(x)\nswish_output_0 = Activation(x)\n");
}

TEST(FuseWindows, PacksWeightsOnce) {
  Builder b({1, 4, 6, 6});
  const auto w = b.constant("w", waves({4, 4, 1, 1}));
  const auto first = b.node("Conv", "first", {b.x, w}), second = b.node("Conv", "second", {first, w});
  b.graph.outputs = {b.depthwise("deep", second, 4), b.pool("pool", second, {1, 1, 1, 1})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>}),
            "first_output_0 = Conv(x, w_packed, first_zero_bias)\n"
            "second_output_0 = Conv(first_output_0, w_packed, second_zero_bias)\n"
            "deep_output_0 = DepthwiseConv(second_output_0, deep.w_packed_depthwise, deep.b)\n"
            "pool_output_0 = MaxPool(second_output_0)\n");
}

TEST(FuseWindows, LeavesWhatHasNoKernel) {
  Builder b({1, 4, 9, 9});
  const auto dilated = b.conv("dilated", b.x, {4, 4, 3, 3}, {{"dilations", Ints{2, 2}}});
  const auto far = b.conv("far", dilated, {4, 4, 1, 1}, {{"pads", Ints{1, 1, 1, 1}}});
  const auto weights = b.node("Relu", "weights", {b.constant("raw", waves({4, 4, 1, 1}))});
  const auto computed = b.node("Conv", "computed", {far, weights});
  b.graph.outputs = {b.conv("vast", computed, {4, 4, 1, 1}, {{"strides", Ints{2000, 2000}}})};
  rewritten(b.graph, {roomy<fuse_windows>});
  for (const ir::Node& node : b.graph.nodes) EXPECT_EQ(node.domain, "") << node.name;
}

/// Neighbouring groups join until their outputs fill panels of 16; a few that never do become one.
TEST(FuseWindows, JoinsGroups) {
  struct Expected {
    int64_t groups, in, out, left;
  };
  for (const auto& [groups, in, out, left] : {Expected{8, 2, 4, 2}, {4, 3, 16, 4}, {2, 2, 2, 1}, {3, 1, 5, 1}}) {
    Builder b({1, groups * in, 5, 4});
    b.graph.outputs = {b.conv("grouped", b.x, {groups * out, in, 3, 3}, {{"group", groups}})};
    rewritten(b.graph, {roomy<fuse_windows>, assign_layouts});
    for (const ir::Node& node : b.graph.nodes)
      if (node.op == "Conv") {
        EXPECT_EQ(node.domain, ir::kFusedDomain);
        EXPECT_EQ(node.get_int("group", 1), left) << groups << " groups";
      }
  }
}

TEST(FuseWindows, LeavesGroupsThatWouldBeMostlyZeros) {
  Builder b({1, 38, 5, 4});
  b.graph.outputs = {b.conv("grouped", b.x, {57, 2, 3, 3}, {{"group", int64_t{19}}})};
  rewritten(b.graph, {roomy<fuse_windows>});
  EXPECT_EQ(b.graph.nodes[0].domain, "");
}

/// Panels of sixteen channels, of which few are there: what would be above the budget stays an ordinary Conv.
TEST(FuseWindows, PackingStaysWithinTheBudget) {
  Builder b({1, 1 << 14, 2, 2});
  for (int i = 0; i < 40; ++i)  // 64 KiB each, 1 MiB packed
    b.graph.outputs.push_back(b.conv("narrow" + std::to_string(i), b.x, {1, 1 << 14, 1, 1}));
  const uint64_t before = passes::constant_bytes(b.graph);
  constexpr uint64_t kRoom = 8 << 20;
  ops::infer_shapes(b.graph);
  const MemoryBudget memory(uint64_t{1} << 31);
  passes::RewriteBudget budget(b.graph, kRoom);
  fuse_windows(b.graph, budget);
  EXPECT_LE(passes::constant_bytes(b.graph), before + kRoom);
  EXPECT_LE(memory.peak(), kRoom + (1 << 21));
  const auto fused = std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain);
  EXPECT_GE(fused, 7);
  EXPECT_LT(fused, 10);
}

TEST(FuseWindows, WithoutBiasesOneListOfZerosServesAll) {
  Builder b({1, 1, 2, 2});
  const auto weights = b.constant("w", waves({1 << 14, 1, 1, 1}));
  for (int i = 0; i < 100; ++i)
    b.graph.outputs.push_back(
        b.node("Conv", "c" + std::to_string(i), {b.scale("s" + std::to_string(i), b.x, i), weights}));
  ops::infer_shapes(b.graph);
  const MemoryBudget memory(uint64_t{1} << 31);
  roomy<fuse_windows>(b.graph);
  EXPECT_LE(memory.peak(), uint64_t{1} << 18);
}

TEST(FuseWindows, PoolsTakeZerosAroundThem) {
  for (const float value : {0.0f, -5.0f}) {
    Builder b({1, 4, 9, 8});
    const Ints around = {0, 0, 1, 0, 0, 0, 1, 1};
    const auto pads = b.constant("around", Tensor::from<int64_t>({8}, around));
    const auto low = b.node("Add", "low", {b.x, b.constant("minus", floats({1}, {-4}))});  // so that zeros win
    const auto padded = b.node("Pad", "pad", {low, pads, b.constant("value", floats({}, {value}))});
    b.graph.outputs = {b.pool("pool", padded, {0, 0, 0, 0})};
    const std::string expected = value == 0 ? "pool_output_0 = MaxPool(low_output_0)\n" : "Pad(low_output_0";
    EXPECT_NE(rewritten(b.graph, {roomy<fuse_windows>}).find(expected), std::string::npos) << value;
  }
}

TEST(AbsorbActivations, IntoWhatMakesTheirInput) {
  Builder b({1, 4, 6, 6});
  const auto conv = b.node("Relu", "relu", {b.conv("conv", b.x, {4, 4, 1, 1})});
  const auto deep = b.swish("swish", b.depthwise("deep", conv, 4));
  b.graph.outputs = {deep};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations}),
            "relu_output_0 = Conv(x, conv.w_packed, conv.b_padded)\n"
            "swish_output_0 = DepthwiseConv(relu_output_0, deep.w_packed_depthwise, deep.b)\n");
  EXPECT_EQ(b.graph.nodes[0].get_string("activation", ""), "relu");
  EXPECT_EQ(b.graph.nodes[1].get_string("activation", ""), "swish");
}

TEST(AbsorbActivations, NotWhereOthersReadTheValueBefore) {
  Builder b({1, 4, 6, 6});
  const auto conv = b.conv("conv", b.x, {4, 4, 1, 1});
  b.graph.outputs = {b.node("Relu", "relu", {conv}), conv};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations}),
            "conv_output_0 = Conv(x, conv.w_packed, conv.b_padded)\nrelu_output_0 = Activation(conv_output_0)\n");
}

/// Depthwise -> mean -> two small layers -> product -> pointwise.
ir::Graph squeeze_excite(const char* mean_op, Attributes mean_attributes, int64_t gates = 8) {
  Builder b({2, 8, 5, 5});
  const auto deep = b.swish("act", b.depthwise("deep", b.x, 8));
  const auto mean = b.node(mean_op, "mean", {deep}, std::move(mean_attributes));
  const auto reduced = b.swish("reduced", b.conv("reduce", mean, {2, 8, 1, 1}));
  const auto gate = b.node("Sigmoid", "gate", {b.conv("expand", reduced, {gates, 2, 1, 1})});
  b.graph.outputs = {b.conv("project", b.node("Mul", "product", {gate, deep}), {4, 8, 1, 1})};
  return b.graph;
}

const std::vector<void (*)(ir::Graph&)> kToSqueezeExcite = {fuse_activations, roomy<fuse_windows>, absorb_activations,
                                                            roomy<fuse_squeeze_excite>};

TEST(FuseSqueezeExcite, BothWaysToWriteTheMean) {
  const Attributes axes{{"axes", Ints{2, 3}}};
  for (ir::Graph graph : {squeeze_excite("GlobalAveragePool", {}), squeeze_excite("ReduceMean", axes)}) {
    EXPECT_EQ(rewritten(graph, kToSqueezeExcite),
              "act_output_0, deep_mean = DepthwiseConv(x, deep.w_packed_depthwise, deep.b)\n"
              "expand_gate = SqueezeExcite(deep_mean, reduce_matrix, reduce_bias, expand_matrix, expand_bias)\n"
              "project_output_0 = Conv(act_output_0, project.w_packed, project.b_padded, _, expand_gate)\n");
  }
}

TEST(FuseSqueezeExcite, BehindAConcatOfDepthwiseLayers) {
  Builder b({2, 8, 5, 5});
  const auto both =
      b.node("Concat", "both", {b.depthwise("small", b.x, 8), b.depthwise("large", b.x, 8)}, {{"axis", int64_t{1}}});
  const auto deep = b.swish("act", both);
  const auto reduced = b.conv("reduce", b.node("GlobalAveragePool", "mean", {deep}), {2, 16, 1, 1});
  const auto gate = b.node("Sigmoid", "gate", {b.conv("expand", reduced, {16, 2, 1, 1})});
  b.graph.outputs = {b.conv("project", b.node("Mul", "product", {gate, deep}), {4, 16, 1, 1})};
  EXPECT_EQ(rewritten(b.graph, kToSqueezeExcite),
            "small_output_0, small_mean = DepthwiseConv(x, small.w_packed_depthwise, small.b)\n"
            "large_output_0, large_mean = DepthwiseConv(x, large.w_packed_depthwise, large.b)\n"
            "act_output_0 = Concat(small_output_0, large_output_0)\n"
            "mean_means = Concat(small_mean, large_mean)\n"
            "expand_gate = SqueezeExcite(mean_means, reduce_matrix, reduce_bias, expand_matrix, expand_bias)\n"
            "project_output_0 = Conv(act_output_0, project.w_packed, project.b_padded, _, expand_gate)\n");
}

TEST(FuseSqueezeExcite, LeavesOtherMeansAndGates) {
  for (ir::Graph graph :
       {squeeze_excite("ReduceMean", {{"axes", Ints{3, 3}}}), squeeze_excite("GlobalMaxPool", {}),
        squeeze_excite("ReduceMean", {{"axes", Ints{0, 2, 3}}}), squeeze_excite("GlobalAveragePool", {}, 1)}) {
    try {
      EXPECT_EQ(rewritten(graph, kToSqueezeExcite).find("SqueezeExcite"), std::string::npos);
    } catch (const Error&) {
      // A mean over one axis twice, or a pool that nobody knows, may be refused altogether.
    }
  }
}

TEST(FuseSqueezeExcite, BlocksMayShareTheirWeights) {
  Builder b({1, 128, 3, 3});
  const auto shared = [&](const char* name, Shape shape) { return b.constant(name, waves(std::move(shape))); };
  const auto window = shared("dw", {128, 1, 1, 1}), reduce = shared("w1", {512, 128, 1, 1}),
             expand = shared("w2", {128, 512, 1, 1}), project = shared("w3", {16, 128, 1, 1});
  for (int i = 0; i < 40; ++i) {
    const std::string name = "b" + std::to_string(i);
    const auto x = b.node("Conv", name + ".dw", {b.scale(name + ".x", b.x, static_cast<float>(i)), window},
                          {{"group", int64_t{128}}});
    const auto small = b.node("Conv", name + ".reduce", {b.node("GlobalAveragePool", name + ".mean", {x}), reduce});
    const auto gate = b.node("Conv", name + ".expand", {b.node("Relu", name + ".relu", {small}), expand});
    const auto product = b.node("Mul", name + ".mul", {x, b.node("Sigmoid", name + ".gate", {gate})});
    b.graph.outputs.push_back(b.node("Conv", name + ".project", {product, project}));
  }
  const MemoryBudget memory(uint64_t{1} << 31);
  const artifact::Program program = compile(b.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "SqueezeExcite", &ir::Node::op), 40);
  EXPECT_LE(memory.peak(), uint64_t{3} << 20);  // half a mebibyte of weights, packed, and as matrices
}

TEST(FuseMix, ScaledAndEnlargedMaps) {
  Builder b({1, 4, 4, 4});
  const auto half = b.pool("half", b.x, {0, 0, 1, 1});
  const auto sum = b.node("Add", "a", {b.scale("s0", b.x, 0.5f), b.scale("s1", b.up("up", half, 2), 0.25f)});
  b.graph.outputs = {b.swish("y", b.node("Add", "b", {sum, b.x}))};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, fuse_mix, absorb_activations}),
            "half_output_0 = MaxPool(x)\ny_output_0 = Mix(x, half_output_0, x)\n");
  EXPECT_EQ(std::get<std::vector<float>>(*b.graph.nodes[1].find("weights")), (std::vector<float>{0.5f, 0.25f, 1}));
}

TEST(FuseMix, LeavesBroadcastsLongSumsAndPlainAdds) {
  Builder b({1, 4, 4, 4});
  const auto channel = b.constant("c", waves({4, 1, 1}));
  const auto broadcast = b.node("Add", "broadcast", {b.scale("s", b.x, 2), channel});
  ir::ValueId sum = broadcast;
  for (int i = 0; i < 5000; ++i) sum = b.node("Add", "add" + std::to_string(i), {sum, b.x});  // deep, and no Mix
  const auto relu = b.node("Neg", "neg", {sum});
  b.graph.outputs = {b.node("Neg", "y", {b.node("Add", "plain", {relu, b.x})})};
  ops::infer_shapes(b.graph);
  fuse_mix(b.graph);
  for (const ir::Node& node : b.graph.nodes) ASSERT_NE(node.op, "Mix");
}

TEST(FuseResiduals, IntoTheConvThatRunsLast) {
  Builder b({1, 4, 4, 4});
  const auto first = b.conv("first", b.x, {4, 4, 1, 1}), second = b.conv("second", first, {4, 4, 3, 3});
  const auto sum = b.node("Add", "sum", {first, second});
  b.graph.outputs = {b.node("Relu", "y", {sum}), b.node("Add", "plain", {b.x, first})};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, fuse_residuals, absorb_activations}),
            "first_output_0 = Conv(x, first.w_packed, first.b_padded)\n"
            "y_output_0 = Conv(first_output_0, second.w_packed, second.b_padded, first_output_0)\n"
            "plain_output_0 = Mix(x, first_output_0)\n");
}

TEST(FuseResiduals, ASumWithItself) {
  Builder b({1, 4, 4, 4});
  const auto conv = b.conv("conv", b.x, {4, 4, 1, 1});
  b.graph.outputs = {b.node("Add", "sum", {conv, conv})};
  EXPECT_EQ(
      rewritten(b.graph, {roomy<fuse_windows>, fuse_residuals}),
      "conv_output_0 = Conv(x, conv.w_packed, conv.b_padded)\nsum_output_0 = Mix(conv_output_0, conv_output_0)\n");
}

TEST(FuseExpandDepthwise, WhereTheMapBetweenIsLarge) {
  for (int64_t side : {8, 64}) {
    Builder b({1, 16, side, side});
    const auto wide = b.swish("wide", b.conv("expand", b.x, {96, 16, 1, 1}));
    b.graph.outputs = {b.depthwise("deep", wide, 96)};
    const std::string text = rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations,
                                                 [](ir::Graph& g) { fuse_expand_depthwise(g, {}); }});
    EXPECT_EQ(text.find("ExpandDepthwise") != std::string::npos, side == 64) << text;
  }
}

TEST(ChooseProducts, EachByItsScheme) {
  Builder b({1, 32, 16, 16});
  const auto dense = b.conv("dense", b.x, {32, 32, 3, 3}), point = b.conv("point", dense, {32, 32, 1, 1});
  b.graph.outputs = {b.conv("strided", point, {32, 32, 3, 3}, {{"strides", Ints{2, 2}}})};
  for (const bool fewer : {false, true}) {
    CompileOptions options;
    options.choices.other_products = fewer ? LayerChoices::Others::kYes : LayerChoices::Others::kNo;
    std::map<std::string, std::string> products;
    for (const ir::Node& node : compile(b.graph, options).graph.nodes)
      products[node.name] = node.get_string("product", "");
    EXPECT_EQ(products["dense"], fewer ? "winograd" : "direct");
    EXPECT_EQ(products["point"], fewer ? "strassen" : "direct");
    EXPECT_EQ(products["strided"], "");
  }
}

TEST(FuseDepthwisePointwise, WhereTheMapBetweenIsLarge) {
  for (int64_t side : {8, 64}) {
    Builder b({1, 64, side, side});
    const auto skip = b.node("Exp", "skip", {b.conv("other", b.x, {24, 64, 1, 1})});
    const auto deep = b.swish("act", b.depthwise("deep", b.x, 64));
    b.graph.outputs = {b.node("Add", "sum", {b.conv("project", deep, {24, 64, 1, 1}), skip})};
    const std::string text =
        rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations, fuse_residuals,
                            [](ir::Graph& g) { fuse_depthwise_pointwise(g, {}); }, assign_layouts});
    EXPECT_EQ(text.find("DepthwisePointwise") != std::string::npos, side == 64) << text;
  }
}

TEST(AssignLayouts, OneChangeOfLayoutOnEachSide) {
  Builder b({1, 4, 6, 6});
  const auto pool = b.pool("pool", b.x, {1, 1, 1, 1});
  const auto conv = b.conv("conv", pool, {4, 4, 3, 3});
  b.graph.outputs = {b.node("Exp", "y", {conv})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "x_nhwc = Transpose(x)\npool_output_0_nhwc = MaxPool(x_nhwc)\n"
            "conv_output_0_nhwc = Conv(pool_output_0_nhwc, conv.w_packed, conv.b_padded)\n"
            "conv_output_0 = Transpose(conv_output_0_nhwc)\ny_output_0 = Exp(conv_output_0)\n");
}

TEST(AssignLayouts, OneConvolutionTurnsOneSide) {
  Builder b({1, 4, 6, 6});
  b.graph.outputs = {b.conv("only", b.x, {4, 4, 3, 3})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "only_output_0_nhwc = Conv(x, only.w_packed, only.b_padded)\n"
            "only_output_0 = Transpose(only_output_0_nhwc)\n");
}

TEST(AssignLayouts, ConvolutionsReadAndWriteTheCallersLayout) {
  Builder b({1, 4, 6, 6});
  b.graph.outputs = {b.conv("last", b.conv("first", b.x, {4, 4, 3, 3}), {4, 4, 1, 1})};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, assign_layouts}),
            "first_output_0_nhwc = Conv(x, first.w_packed, first.b_padded)\n"
            "last_output_0 = Conv(first_output_0_nhwc, last.w_packed, last.b_padded)\n");
}

/// Split, Resize (by scales, by sizes) and Concat between layers, with the layers' layout.
ir::Graph followers() {
  Builder b({2, 8, 6, 6});
  const auto split = b.node("Split", "split", {b.conv("conv", b.x, {8, 8, 1, 1})}, {{"axis", int64_t{1}}});
  const auto right = b.graph.add_value({"right", DType::kF32, {}, {}});
  b.graph.nodes.back().outputs.push_back(right);
  const auto up = b.up("up", split, 1.5f);
  const auto down =
      b.node("Resize", "down", {right, ir::kNoValue, ir::kNoValue, b.constant("sizes", ints({2, 4, 9, 9}))},
             {{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}});
  b.graph.outputs = {
      b.conv("last", b.node("Concat", "concat", {down, up, up}, {{"axis", int64_t{-3}}}), {8, 12, 3, 3})};
  return b.graph;
}

TEST(AssignLayouts, OnnxOperatorsFollowTheMaps) {
  ir::Graph graph = followers();
  const auto names = implementations(expect_same(graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
  EXPECT_LE(std::ranges::count(names, "cpu:transpose"), 2);
}

TEST(AssignTypes, OnnxOperatorsFollowTheMaps) {
  const artifact::Program program = compile(followers(), {.precision = CompileOptions::Precision::kBfloat16});
  for (const ir::Node& node : program.graph.nodes) {
    if (node.op == "Concat" || node.op == "Split" || node.op == "Resize") {
      EXPECT_EQ(program.graph.value(node.outputs[0]).dtype, DType::kBF16) << node.name;
    }
  }
  const auto names = implementations(program);
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
}

// --- Memory

TEST(PlanMemory, NothingOverlapsAndMemoryIsUsedAgain) {
  Builder b({1, 16, 16, 16});
  ir::ValueId value = b.x;
  uint64_t sum = 0;
  for (int i = 0; i < 20; ++i, sum += 16 * 16 * 16 * 4)
    value = b.conv("conv" + std::to_string(i), value, {16, 16, 1, 1});
  b.graph.outputs = {value};
  const artifact::Program program = compile(b.graph);
  EXPECT_LE(program.arena_bytes, 3 * sum / 20) << "a chain needs two places (and the input's in NHWC)";
  EXPECT_NO_THROW(artifact::verify_program(program, "test"));
  artifact::Program moved = program;
  for (artifact::Placement& placement : moved.placements)
    if (placement.space == artifact::Placement::Space::kArena) placement.offset = 0;
  EXPECT_THROW(artifact::verify_program(moved, "test"), Error);
}

// --- Whole programs

/// A network in which every fusion finds something.
ir::Graph whole_network() {
  Builder b({2, 3, 16, 16});
  const auto stem = b.swish("stem.act", b.conv("stem", b.x, {8, 3, 3, 3}, {{"strides", Ints{2, 2}}}));
  const auto deep = b.swish("deep.act", b.depthwise("deep", stem, 8));
  const auto mean = b.node("GlobalAveragePool", "mean", {deep});
  const auto gate =
      b.node("Sigmoid", "gate", {b.conv("expand", b.swish("r", b.conv("reduce", mean, {2, 8, 1, 1})), {8, 2, 1, 1})});
  const auto block = b.node("Add", "block", {b.conv("project", b.node("Mul", "m", {deep, gate}), {8, 8, 1, 1}), stem});
  const auto mixed =
      b.node("Add", "mix", {b.scale("s0", block, 0.7f), b.up("up", b.pool("p", block, {1, 1, 1, 1}), 2)});
  b.graph.outputs = {b.conv("head", mixed, {5, 8, 1, 1})};
  return b.graph;
}

/// Steps with random sources, whose values have random sizes and so random lives.
ir::Graph random_lives(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](size_t n) { return static_cast<int64_t>(random() % n); };
  ir::Graph graph;
  std::vector<ir::ValueId> values{graph.add_input("x", DType::kF32, {1})};
  for (int i = 0; i < 200; ++i) {
    std::vector<ir::ValueId> sources;
    for (int64_t k = below(3); k >= 0; --k)
      sources.push_back(
          values[static_cast<size_t>(below(4) > 0 ? std::max<int64_t>(0, i - below(4)) : below(values.size()))]);
    values.push_back(graph.add_node("Sum", "s" + std::to_string(i), sources));
    graph.value(values.back()).shape = Shape{below(3) > 0 ? 16 * (1 + below(40)) : below(2)};
  }
  graph.outputs = {values.back()};
  return graph;
}

/// Largest first, each into the lowest gap among all that are alive with it: what plan_memory says of itself, by
/// looking at every pair.
TEST(PlanMemory, TakesTheLowestGap) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const artifact::Program program = plan_memory(random_lives(seed));
    const std::vector<artifact::Lifetime> lives = artifact::lifetimes(program.graph);
    std::vector<size_t> order;
    for (size_t i = 0; i < program.placements.size(); ++i)
      if (program.placements[i].space == artifact::Placement::Space::kArena) order.push_back(i);
    const auto bytes = [&](size_t i) {
      return artifact::aligned_bytes(artifact::value_bytes(program.graph.value(static_cast<ir::ValueId>(i))));
    };
    std::ranges::stable_sort(order, std::greater{}, bytes);
    for (size_t k = 0; k < order.size(); ++k) {
      uint64_t offset = 0;
      for (bool moved = true; std::exchange(moved, false);)
        for (size_t j = 0; j < k; ++j) {
          const size_t other = order[j];
          const uint64_t begin = program.placements[other].offset;
          if (lives[other].last < lives[order[k]].first || lives[order[k]].last < lives[other].first) continue;
          if (begin >= offset + bytes(order[k]) || offset >= begin + bytes(other)) continue;
          offset = begin + bytes(other);
          moved = true;
        }
      ASSERT_EQ(program.placements[order[k]].offset, offset) << "seed " << seed << ", value " << order[k];
    }
  }
}

TEST(Compile, EverythingTogether) {
  const artifact::Program program = expect_same(whole_network());
  const auto names = implementations(program);
  EXPECT_EQ(std::ranges::count(names, "reference"), 0) << fmt::format("{}", fmt::join(names, " "));
}

std::vector<std::string> types_of_outputs(const artifact::Program& program) {
  std::vector<std::string> types;
  for (const ir::Node& node : program.graph.nodes)
    types.push_back(fmt::format("{} {}", node.op, dtype_name(program.graph.value(node.outputs[0]).dtype)));
  return types;
}

TEST(Precision, MapsAreBfloat16AndTheOutputIsNot) {
  ir::Graph graph = whole_network();
  const artifact::Program wide = compile(graph),
                          narrow = compile(graph, {.precision = CompileOptions::Precision::kBfloat16});
  std::vector<std::string> types = types_of_outputs(narrow);
  EXPECT_EQ(types.back(), "Conv float32");
  types.pop_back();
  for (const std::string& type : types)
    EXPECT_TRUE(type.ends_with(" bfloat16") || type == "SqueezeExcite float32") << type;
  EXPECT_LT(narrow.arena_bytes, wide.arena_bytes);
  EXPECT_LT(artifact::weight_bytes({&narrow, 1}), artifact::weight_bytes({&wide, 1}));
  const Tensor x = waves({2, 3, 16, 16});
  const auto run = [&](const artifact::Program& program) {
    runtime::Session session(std::make_shared<runtime::Engine>(program), 1);
    return session.run({{x}}).at(0);
  };
  const Tensor exact = run(wide), rounded = run(narrow);
  double worst = 0, largest = 0;
  for (size_t i = 0; i < static_cast<size_t>(exact.numel()); ++i) {
    worst = std::max<double>(worst, std::abs(exact.data<float>()[i] - rounded.data<float>()[i]));
    largest = std::max<double>(largest, std::abs(exact.data<float>()[i]));
  }
  EXPECT_GT(worst, 0);
  EXPECT_LT(worst, 0.03 * largest);
}

TEST(Precision, NamedLayersStayFloat32BetweenCasts) {
  const artifact::Program program =
      compile(whole_network(), {.precision = CompileOptions::Precision::kBfloat16, .keep_float32 = {"dee*"}});
  const std::vector<std::string> types = types_of_outputs(program);
  EXPECT_TRUE(std::ranges::count(types, std::string("DepthwiseConv float32")) > 0)
      << fmt::format("{}", fmt::join(types, ", "));
  EXPECT_TRUE(std::ranges::count(types, std::string("Cast float32")) > 0);
  EXPECT_TRUE(std::ranges::count(types, std::string("Cast bfloat16")) > 0);
}

TEST(Precision, APatternThatMatchesNothing) {
  try {
    compile(whole_network(), {.precision = CompileOptions::Precision::kBfloat16, .keep_float32 = {"nose*"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("nose*"), std::string::npos);
  }
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

/// Two layers with a map of 2.25 MB an image between them, and what `end` puts behind them.
Builder large_maps(int64_t batch, const std::function<ir::ValueId(Builder&, ir::ValueId)>& end) {
  ::setenv("EFFDET_NUM_THREADS", "1", 1);  // with many threads, more images are taken at a time
  Builder b({batch, 3, 96, 96});
  b.graph.outputs = {end(b, b.conv("narrow", b.swish("swish", b.conv("wide", b.x, {64, 3, 3, 3})), {2, 64, 1, 1}))};
  return b;
}

TEST(SplitBatch, LargeMapsTakeTurns) {
  const auto as_list = [](int64_t batch) {
    return [batch](Builder& b, ir::ValueId in) {
      return b.node("Reshape", "y", {in, b.constant("shape", ints({batch, 2, 9216}))});
    };
  };
  const Builder b = large_maps(6, as_list(6));
  const artifact::Program program = compile(b.graph), whole = compile(b.graph, {.split_batch = false});
  EXPECT_EQ(program.turns, 2);
  EXPECT_EQ(whole.turns, 1);
  EXPECT_LT(program.arena_bytes, whole.arena_bytes * 2 / 3);
  const Tensor batch = waves({6, 3, 96, 96});
  const Tensor got = run(program, std::span(&batch, 1))[0];
  EXPECT_EQ(got.shape(), (Shape{6, 2, 9216}));
  EXPECT_TRUE(std::ranges::equal(got.bytes(), run(whole, std::span(&batch, 1))[0].bytes()));
  EXPECT_EQ(compile(large_maps(2, as_list(2)).graph).turns, 1) << "both images fit into the cache";
  EXPECT_EQ(compile(large_maps(7, as_list(7)).graph).turns, 7) << "a prime number of images";
}

TEST(SplitBatch, NotWhereStepsMixImages) {
  using End = std::function<ir::ValueId(Builder&, ir::ValueId)>;
  const std::map<std::string, End> ends = {
      {"Softmax",
       [](Builder& b, ir::ValueId in) {
         return b.node("Softmax", "y", {in}, {{"axis", int64_t{0}}});
       }},
      {"Concat",
       [](Builder& b, ir::ValueId in) {
         return b.node("Slice", "y",
                       {b.node("Concat", "c", {in, in}, {{"axis", int64_t{-4}}}), b.constant("starts", ints({0})),
                        b.constant("ends", ints({6})), b.constant("axes", ints({0}))});
       }},
      {"Transpose",
       [](Builder& b, ir::ValueId in) {
         return b.node("Transpose", "y", {in}, {{"perm", Ints{1, 0, 2, 3}}});
       }},
      {"Reshape",
       [](Builder& b, ir::ValueId in) {
         return b.node("Reshape", "y", {in, b.constant("s", ints({12, 9216}))});
       }},
      {"Mul",
       [](Builder& b, ir::ValueId in) {
         return b.node("Mul", "y", {in, b.constant("f", waves({6, 1, 1, 1}))});
       }},
  };
  for (const auto& [name, end] : ends) EXPECT_EQ(compile(large_maps(6, end).graph).turns, 1) << name;
  const auto common = [](Builder& b, ir::ValueId in) {
    return b.node("Mul", "y", {in, b.constant("f", waves({1, 2, 1, 1}))});
  };
  EXPECT_EQ(compile(large_maps(6, common).graph).turns, 2);
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

/// Seconds of this thread's own work.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The least of some runs.
double seconds_to_compile(const ir::Graph& graph) {
  double least = INFINITY;
  for (int run = 0; run < 3; ++run) {
    const double start = cpu_seconds();
    compile(graph, {.split_batch = false});
    least = std::min(least, cpu_seconds() - start);
  }
  return least;
}

using Grow = void (*)(Builder&, int);
const std::map<std::string, Grow> kGrowing = {
    {"residuals",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       for (int i = 0; i < n; ++i) {
         const std::string name = "r" + std::to_string(i);
         value = b.node("Add", name + ".sum", {b.conv(name, value, {2, 2, 1, 1}), value});
       }
       b.graph.outputs = {value};
     }},
    {"norms behind shared weights, under one name",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       const auto weights = b.constant("w", waves({2, 2, 1, 1})), ones = b.constant("ones", floats({2}, {1, 1}));
       for (int i = 0; i < n; ++i) {
         value = b.node("Conv", "same", {value, weights});
         b.graph.value(value).name = "c" + std::to_string(i);
         value = b.node("BatchNormalization", "same", {value, ones, ones, ones, ones});
         b.graph.value(value).name = "n" + std::to_string(i);
       }
       b.graph.outputs = {value};
     }},
    {"readers of one value, all alive at the end",
     [](Builder& b, int n) {
       std::vector<ir::ValueId> parts;
       for (int i = 0; i < n; ++i) parts.push_back(b.scale("s" + std::to_string(i), b.x, static_cast<float>(i + 2)));
       b.graph.outputs = {b.node("Concat", "y", parts, {{"axis", int64_t{1}}})};
     }},
    {"outputs, each twice",
     [](Builder& b, int n) {
       for (int i = 0; i < n; ++i) {
         const auto value = b.scale("s" + std::to_string(i), b.x, static_cast<float>(i + 2));
         b.graph.outputs.insert(b.graph.outputs.end(), {value, value});
       }
     }},
    {"scales in a row",
     [](Builder& b, int n) {
       ir::ValueId value = b.x;
       for (int i = 0; i < n; ++i) value = b.scale("s" + std::to_string(i), value, 1.01f);
       b.graph.outputs = {value};
     }},
};

/// Eight times the graph may take eight times as long, and some; what looks at each pair takes 64 times as long.
TEST(Compile, TimeGrowsWithTheGraph) {
  if (kSanitized) GTEST_SKIP() << "sanitizers have costs of their own";
  constexpr int kLayers = 250, kTimes = 8;
  for (const auto& [name, grow] : kGrowing) {
    Builder small({1, 2, 2, 2}), large({1, 2, 2, 2});
    grow(small, kLayers);
    grow(large, kTimes * kLayers);
    EXPECT_LT(seconds_to_compile(large.graph), 3 * kTimes * seconds_to_compile(small.graph)) << name;
  }
}

TEST(Compile, ReportsEveryStage) {
  Builder b({1, 3, 8, 8});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3})};
  std::vector<std::string> stages;
  compile(b.graph, {.on_stage = [&](std::string_view stage, const ir::Graph&) { stages.emplace_back(stage); }});
  ASSERT_GT(stages.size(), 3u);
  EXPECT_EQ(stages.front(), "simplify");
  EXPECT_EQ(stages.back(), "assign_layouts");
}

TEST(Compile, AippTakesPicturesAndTheRestStaysAsItWas) {
  Builder b({2, 3, 8, 10});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3}, {{"strides", Ints{2, 2}}})};
  aipp::Config config{.file = "aipp.cfg", .spec = {}, .lines = {}};
  config.spec.min = {123.675f, 116.28f, 103.53f};
  config.spec.scale = {0.0171f, 0.0175f, 0.0174f};
  const artifact::Program program = compile(b.graph, {.aipp = config});
  ASSERT_EQ(program.graph.inputs.size(), 1u);
  const ir::Value& input = program.graph.value(program.graph.inputs[0]);
  EXPECT_EQ(input.name, "x");
  EXPECT_EQ(input.dtype, DType::kU8);
  EXPECT_EQ(*input.shape, (Shape{2, 8, 10, 3}));
  EXPECT_EQ(std::ranges::count(implementations(program), "cpu:aipp"), 1);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Transpose", &ir::Node::op), 1) << "of the output alone";

  Tensor picture(DType::kU8, *input.shape), planes(DType::kF32, {2, 3, 8, 10});
  for (int64_t i = 0; i < picture.numel(); ++i) {
    const int64_t image = i / 240, pixel = i % 240 / 3, channel = i % 3;
    const auto c = static_cast<size_t>(channel);
    const auto sample = static_cast<uint8_t>(i * 37);
    picture.mutable_data<uint8_t>()[static_cast<size_t>(i)] = sample;
    planes.mutable_data<float>()[static_cast<size_t>((image * 3 + channel) * 80 + pixel)] =
        (static_cast<float>(sample) - config.spec.min[c]) * config.spec.scale[c];
  }
  const auto run = [](const artifact::Program& p, const Tensor& x) {
    return runtime::Session(std::make_shared<runtime::Engine>(p), 2).run(std::span(&x, 1)).at(0);
  };
  EXPECT_TRUE(std::ranges::equal(run(program, picture).bytes(), run(compile(b.graph), planes).bytes()));
}

TEST(Compile, AippThatDoesNotFit) {
  aipp::Config config{.file = "aipp.cfg", .spec = {}, .lines = {}};
  config.spec.source_width = 9;
  Builder b({1, 3, 8, 10});
  b.graph.outputs = {b.conv("conv", b.x, {4, 3, 3, 3})};
  EXPECT_THROW(compile(b.graph, {.aipp = config}), Error);
  const auto message = [&](const std::map<std::string, Shape>& shapes) {
    try {
      compile_plans(b.graph, {.aipp = config}, std::span(&shapes, 1));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_TRUE(message({}).starts_with("aipp.cfg: src_image_size_w: ")) << message({});
  EXPECT_TRUE(message({{"x", {1, 3, 8, 12}}}).starts_with("for the shape x:1x3x8x12: aipp.cfg: ")) << message({});
  Builder two({1, 3, 8, 9});
  two.graph.outputs = {two.node("Add", "sum", {two.x, two.graph.add_input("z", DType::kF32, {1, 3, 8, 9})})};
  EXPECT_THROW(compile(two.graph, {.aipp = config}), Error);
}

TEST(Compile, PaddedPoolAsPyTorchWritesIt) {
  // TF's SAME max pool: a Pad with -inf before a pool without padding.
  Builder b({1, 4, 8, 8});
  const auto relu = b.conv("conv", b.x, {4, 4, 1, 1});
  const auto pads = b.constant("pads", ints({0, 0, 0, 0, 0, 0, 1, 1})),
             fill = b.constant("fill", floats({}, {-std::numeric_limits<float>::infinity()}));
  b.graph.outputs = {b.pool("pool", b.node("Pad", "pad", {relu, pads, fill}), {0, 0, 0, 0})};
  const artifact::Program program = expect_same(b.graph);
  EXPECT_EQ(std::ranges::count(implementations(program), "reference"), 0) << ir::to_text(program.graph);
}

void expect_mix(bool weighted) {
  Builder b({1, 4, 8, 8});
  const auto half = b.pool("half", b.x, {1, 1, 1, 1});
  const auto axes = Ints{-1};
  std::vector<ir::ValueId> terms;
  for (const auto& [name, map] :
       {std::pair{"a", b.x}, {"b", b.up("up", half, 2)}, {"c", b.node("Neg", "neg", {b.x})}}) {
    const std::string term = name;
    const auto scaled =
        b.node("Div", term + ".div",
               {weighted ? b.scale(term, map, 0.6f) : map, b.constant(term + ".sum", floats({}, {1.8001f}))});
    terms.push_back(b.node("Unsqueeze", term + ".up", {scaled}, {{"axes", axes}}));
  }
  const auto stack = b.node("Concat", "stack", terms, {{"axis", int64_t{-1}}});
  const auto sum = b.node("ReduceSum", "sum", {stack}, {{"axes", axes}, {"keepdims", int64_t{0}}});
  b.graph.outputs = {b.swish("y", sum)};
  const artifact::Program program = expect_same(b.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Mix", &ir::Node::op), 1) << ir::to_text(program.graph);
  EXPECT_EQ(std::ranges::count(program.graph.nodes, "Div", &ir::Node::op), 0) << ir::to_text(program.graph);
}

TEST(Compile, FusionAsPyTorchWritesIt) {
  // effdet's fastattn: stack([w_i * x_i / (sum + eps)], -1).sum(-1). The exporter leaves the factor out where it is 1,
  // as in a network that was not trained.
  for (const bool weighted : {true, false}) expect_mix(weighted);
}

}  // namespace
}  // namespace effdet::compiler
