// Parts of networks beside EfficientDets: matrix products, upsampling, pools, and maps that stay NHWC through operators
// that know axes alone.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

int count_of(const ir::Graph& graph, std::string_view op) {
  return static_cast<int>(std::ranges::count(graph.nodes, op, &ir::Node::op));
}

TEST(FuseMatMul, WithBiasResidualAndActivation) {
  Builder b({2, 5, 8});
  const auto first = b.node("MatMul", "first", {b.x, b.constant("w", waves({8, 20}))});
  const auto biased = b.node("Add", "biased", {b.constant("bias", waves({20}, 1)), first});
  const auto relu = b.node("Relu", "relu", {biased});
  const auto second = b.node("MatMul", "second", {relu, b.constant("v", waves({1, 20, 8}))});
  const auto moved = b.node("Add", "moved", {second, b.constant("shift", waves({8}, 2))});
  b.graph.outputs = {b.node("Add", "y", {moved, b.x})};
  EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_matmul>, absorb_activations}),
            "relu_output_0 = MatMul(x, w_packed, first_bias)\n"
            "y_output_0 = MatMul(relu_output_0, v_packed, second_bias, x)\n");
}

TEST(FuseLookups, OneHotRowsByATable) {
  for (const DType type : {DType::kI32, DType::kI64}) {
    ir::Graph graph;
    graph.opset = 13;
    const auto places = graph.add_input("places", type, {2, 6, 1});
    const auto numbers = graph.add_constant("numbers", ints({0, 1, 2, 3, 4}).reshaped({1, 1, 5}).to(type));
    const auto equal = graph.add_node("Equal", "equal", {places, numbers});
    const auto one_hot = graph.add_node("Cast", "one_hot", {equal}, {{"to", int64_t{1}}});
    graph.outputs = {graph.add_node("MatMul", "rows", {one_hot, graph.add_constant("table", waves({5, 8}))})};
    ops::infer_shapes(graph);
    // Places that the table has, and others, whose rows are zeros.
    const Tensor input = ints({0, 4, 2, 5, -1, 3, -2, -7, 1 << 30, 1, 6, 0}).reshaped({2, 6, 1}).to(type);
    const Tensor want = ops::run_reference(graph, {&input, 1})[0];
    const artifact::Program program = compile(graph);
    EXPECT_EQ(count_of(program.graph, "Gather"), 1);
    EXPECT_EQ(count_of(program.graph, "MatMul"), 0);
    EXPECT_EQ(difference(run(program, {&input, 1})[0], want), 0);
  }
}

TEST(FuseMatMul, GemmOfBothOrders) {
  Builder b({3, 8});
  const auto gemm = b.node("Gemm", "gemm", {b.x, b.constant("w", waves({20, 8})), b.constant("c", waves({1, 20}, 1))},
                           {{"transB", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}});
  b.graph.outputs = {b.node("Gemm", "plain", {gemm, b.constant("v", waves({20, 5}))})};
  rewritten(b.graph, {roomy<fuse_matmul>});
  EXPECT_EQ(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 2);
}

TEST(FuseMatMul, LeavesWhatIsNoRowTimesOneMatrix) {
  Builder b({2, 5, 8});
  const auto other = b.graph.add_input("other", DType::kF32, {2, 8, 5});
  const auto several = b.node("MatMul", "several", {b.x, b.constant("w", waves({2, 8, 8}))});
  const auto both = b.node("MatMul", "both", {several, other});
  b.graph.outputs = {b.node("MatMul", "left", {b.constant("v", waves({5, 5})), both})};
  rewritten(b.graph, {roomy<fuse_matmul>});
  EXPECT_EQ(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 0);
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "cpu:matmul"), 3);
}

TEST(FuseMatMul, PackingStaysWithinTheBudget) {
  Builder b({1, 1 << 14});
  for (int i = 0; i < 40; ++i)  // 64 KiB each, 1 MiB packed
    b.graph.outputs.push_back(
        b.node("MatMul", "narrow" + std::to_string(i),
               {b.x, b.constant("w" + std::to_string(i), waves({1 << 14, 1}, static_cast<float>(i)))}));
  const uint64_t before = passes::constant_bytes(b.graph);
  constexpr uint64_t kRoom = 8 << 20;
  ops::infer_shapes(b.graph);
  passes::RewriteBudget budget(b.graph, kRoom);
  fuse_matmul(b.graph, budget);
  EXPECT_LE(passes::constant_bytes(b.graph), before + kRoom);
  EXPECT_LT(std::ranges::count(b.graph.nodes, ir::kFusedDomain, &ir::Node::domain), 10);
}

TEST(FuseConvTranspose, EveryWayToSayItsSize) {
  const Attributes cases[] = {{},
                              {{"pads", Ints{1, 1, 1, 1}}},
                              {{"output_padding", Ints{1, 0}}, {"pads", Ints{0, 1, 1, 0}}},
                              {{"output_shape", Ints{11, 12}}},
                              {{"auto_pad", std::string("SAME_UPPER")}},
                              {{"auto_pad", std::string("SAME_LOWER")}}};
  for (const int64_t kernel : {2, 3, 4})
    for (const Attributes& attributes : cases) {
      Builder b({1, 6, 5, 6});
      Attributes all = attributes;
      all["strides"] = Ints{2, 2};
      const auto up = b.node("ConvTranspose", "up",
                             {b.x, b.constant("w", waves({6, 5, kernel, kernel})), b.constant("b", waves({5}))}, all);
      b.graph.outputs = {b.node("Relu", "relu", {up})};
      const artifact::Program program = expect_same(b.graph);
      EXPECT_EQ(count_of(program.graph, "Relu"), 0);
      const auto names = implementations(program);
      EXPECT_EQ(std::ranges::count(names, "reference"), 0) << kernel;
    }
}

TEST(FuseConvTranspose, TakesTheNormAndTheBiasBehindIt) {
  Builder b({1, 6, 5, 6});
  Tensor variance = floats({4}, {1, 2, 3, 4});
  const auto up = b.node("ConvTranspose", "up", {b.x, b.constant("w", waves({6, 2, 2, 2}))},
                         {{"strides", Ints{2, 2}}, {"group", int64_t{2}}});
  const auto biased = b.node("Add", "biased", {up, b.constant("bias", waves({1, 4, 1, 1}))});
  b.graph.outputs = {b.node("BatchNormalization", "norm",
                            {biased, b.constant("gamma", waves({4}, 1)), b.constant("beta", waves({4}, 2)),
                             b.constant("mean", waves({4}, 3)), b.constant("variance", variance)})};
  EXPECT_EQ(expect_same(b.graph).graph.nodes.size(), 1u);
}

TEST(FusePools, WindowsThatReachBeyondTheMap) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (const int64_t side : {6, 7, 8, 9}) {
      Builder b({1, 4, side, side + 1});
      b.graph.outputs = {b.node(op, "pool", {b.conv("conv", b.x, {4, 4, 1, 1})},
                                {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}})};
      const auto names = implementations(expect_same(b.graph));
      EXPECT_EQ(std::ranges::count(names, "reference"), 0) << op << ' ' << side;
    }
}

/// Convolutions on both sides: nothing between them should turn the maps.
TEST(AssignLayouts, OperatorsThatKnowAxesFollowTheMaps) {
  using Part = ir::ValueId (*)(Builder&, ir::ValueId);
  const Part parts[] = {
      [](Builder& b, ir::ValueId x) {
        return b.node("Add", "add", {x, b.constant("c", waves({8, 1, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Mul", "mul", {x, b.constant("c", waves({1, 8, 6, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("PRelu", "prelu", {x, b.constant("c", waves({8, 1, 1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Mul", "gate", {x, b.node("GlobalAveragePool", "mean", {x})});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Sub", "centre", {x, b.node("ReduceMax", "max", {x}, {{"axes", Ints{1}}})});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("AveragePool", "pool", {x}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node(
            "Slice", "slice",
            {x, b.constant("s", ints({1, 2})), b.constant("e", ints({6, 7})), b.constant("a", ints({2, -1}))});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Tanh", "tanh", {b.node("Pad", "pad", {x, b.constant("p", ints({0, 0, 1, 2, 0, 0, 3, 0}))})});
      },
  };
  for (const Part& part : parts) {
    Builder b({1, 8, 6, 7});
    SCOPED_TRACE(&part - parts);
    b.graph.outputs = {b.conv("last", part(b, b.conv("first", b.x, {8, 8, 3, 3})), {4, 8, 1, 1})};
    EXPECT_EQ(count_of(expect_same(b.graph).graph, "Transpose"), 0);
  }
}

TEST(AssignLayouts, TransposesOfMapsAreOne) {
  Builder b({1, 8, 6, 7});
  const auto turned = b.node("Transpose", "turned", {b.conv("conv", b.x, {8, 8, 3, 3})}, {{"perm", Ints{0, 2, 3, 1}}});
  b.graph.outputs = {b.node("Reshape", "rows", {turned, b.constant("shape", ints({1, -1, 8}))})};
  const artifact::Program program = expect_same(b.graph);
  for (const ir::Node& node : program.graph.nodes)
    EXPECT_TRUE(node.op != "Transpose" || node.get_ints("perm", {}) == (Ints{0, 1, 2, 3})) << node.name;
}

TEST(AssignLayouts, ReductionsThatDropAxesAndOnesThatStayNchw) {
  Builder b({1, 8, 6, 7});
  const auto map = b.conv("conv", b.x, {8, 8, 3, 3});
  b.graph.outputs = {b.node("ReduceMean", "hw", {map}, {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}}),
                     b.node("ReduceSum", "c", {map}, {{"axes", Ints{1}}, {"keepdims", int64_t{0}}}),
                     b.node("ReduceMax", "h", {map}, {{"axes", Ints{2}}, {"keepdims", int64_t{0}}}),
                     b.node("GlobalMaxPool", "all", {map})};
  expect_same(b.graph);
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
