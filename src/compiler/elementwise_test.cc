// Elementwise operators: as activations, as steps behind layers, and as programs.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// The value of an attribute of the only node of a type; empty where there is none.
std::string attribute_of(const ir::Graph& graph, std::string_view op, std::string_view attribute) {
  for (const ir::Node& node : graph.nodes)
    if (node.op == op) return node.get_string(attribute, "");
  return "";
}

ir::ValueId number(Builder& b, const std::string& name, float value) { return b.constant(name, floats({}, {value})); }

/// clamp(x + 3, 0, 6).
ir::ValueId ramp(Builder& b, ir::ValueId x) {
  const auto sum = b.node("Add", "plus3", {x, number(b, "three", 3)});
  return b.node("Clip", "clip", {sum, number(b, "low", 0), number(b, "high", 6)});
}

TEST(FuseActivations, HardSwishAsItIsSpelled) {
  using Spell = ir::ValueId (*)(Builder&, ir::ValueId);
  const Spell spells[] = {
      [](Builder& b, ir::ValueId x) {  // Paddle's
        return b.node("Div", "y", {b.node("Mul", "m", {x, ramp(b, x)}), number(b, "six", 6)});
      },
      [](Builder& b, ir::ValueId x) {  // torchvision's
        return b.node("Mul", "y", {x, b.node("Div", "d", {ramp(b, x), number(b, "six", 6)})});
      },
      [](Builder& b, ir::ValueId x) {
        return b.node("Mul", "y", {b.node("Mul", "m", {ramp(b, x), x}), number(b, "sixth", 1.0f / 6)});
      },
  };
  for (const Spell spell : spells) {
    Builder b({1, 4, 6, 6});
    b.graph.outputs = {spell(b, b.conv("conv", b.x, {8, 4, 1, 1}))};
    EXPECT_EQ(rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations}),
              "y_output_0 = Conv(x, conv.w_packed, conv.b_padded)\n");
    EXPECT_EQ(attribute_of(b.graph, "Conv", "activation"), "hardswish");
  }
}

TEST(FuseActivations, HardSwishWithAScaleInItsLastNumber) {  // which merge_scales leaves
  Builder b({1, 4, 6, 6});
  const auto conv = b.conv("conv", b.x, {8, 4, 1, 1});
  const auto scaled = b.node("Mul", "y", {b.node("Mul", "m", {conv, ramp(b, conv)}), number(b, "factor", 0.15f)});
  b.graph.outputs = {b.node("Add", "z", {scaled, number(b, "shift", 0.5f)})};
  rewritten(b.graph, {fuse_activations, roomy<fuse_windows>, absorb_activations, absorb_steps});
  ASSERT_EQ(b.graph.nodes.size(), 1u);
  const std::string activation = attribute_of(b.graph, "Conv", "activation");
  EXPECT_TRUE(activation.starts_with("hardswish; mul x0 0.9")) << activation;
  EXPECT_TRUE(activation.ends_with("; add t0 0.5")) << activation;
}

TEST(FuseActivations, LeavesRampsOfOtherNumbers) {
  Builder b({1, 4, 6, 6});
  const auto sum = b.node("Add", "plus", {b.x, number(b, "two", 2)});
  const auto clip = b.node("Clip", "clip", {sum, number(b, "low", 0), number(b, "high", 6)});
  b.graph.outputs = {b.node("Div", "y", {b.node("Mul", "m", {b.x, clip}), number(b, "six", 6)})};
  rewritten(b.graph, {fuse_activations});
  EXPECT_EQ(attribute_of(b.graph, "Activation", "activation"), "relu6");
}

TEST(AbsorbSteps, WhatFollowsALayer) {
  Builder b({1, 4, 6, 6});
  const auto conv = b.conv("conv", b.x, {8, 4, 3, 3});
  const auto leaky = b.node("LeakyRelu", "leaky", {conv}, {{"alpha", 0.3f}});
  const auto layer = b.depthwise("depthwise", leaky, 8);
  const auto gated = b.node("HardSigmoid", "gate", {layer}, {{"alpha", 0.2f}, {"beta", 0.5f}});
  b.graph.outputs = {b.scale("scaled", gated, 2)};
  EXPECT_EQ(rewritten(b.graph, {roomy<fuse_windows>, absorb_steps}),
            "leaky_output_0 = Conv(x, conv.w_packed, conv.b_padded)\n"
            "scaled_output_0 = DepthwiseConv(leaky_output_0, depthwise.w_packed_depthwise, depthwise.b)\n");
  EXPECT_EQ(attribute_of(b.graph, "Conv", "activation"), "none; leakyrelu x0 0.3");
  EXPECT_EQ(attribute_of(b.graph, "DepthwiseConv", "activation"), "none; hardsigmoid x0 0.2 0.5; mul t0 2");
}

TEST(AbsorbSteps, NotWhereOthersReadNorTheWeightsOfSums) {
  Builder b({1, 4, 6, 6});
  const auto read_twice = b.conv("first", b.x, {8, 4, 1, 1});
  const auto elu = b.node("Elu", "elu", {read_twice});
  const auto weighted = b.scale("weight", b.conv("second", elu, {8, 8, 1, 1}), 0.4f);
  b.graph.outputs = {b.node("Add", "sum", {weighted, read_twice})};
  rewritten(b.graph, {roomy<fuse_windows>, absorb_steps});
  for (const ir::Node& node : b.graph.nodes) EXPECT_EQ(node.get_string("activation", "none"), "none") << node.name;
}

TEST(AbsorbSteps, BehindAConcatOfLayers) {
  Builder b({1, 4, 6, 6});
  const auto joined = b.node("Concat", "joined", {b.conv("a", b.x, {8, 4, 1, 1}), b.conv("b", b.x, {4, 4, 3, 3})},
                             {{"axis", int64_t{1}}});
  b.graph.outputs = {b.node("Tanh", "tanh", {joined})};
  rewritten(b.graph, {roomy<fuse_windows>, absorb_steps});
  EXPECT_EQ(b.graph.nodes.size(), 3u);
}

TEST(FuseElementwise, OneProgramForAllThatBelongsTogether) {
  Builder b({1, 4, 6, 6});
  const auto other = b.graph.add_input("other", DType::kF32, {1, 4, 1, 1});
  const auto product = b.node("Mul", "product", {b.x, other});
  const auto gelu =
      b.node("Mul", "gelu", {product, b.node("Add", "plus", {b.node("Erf", "erf", {product}), number(b, "one", 1)})});
  b.graph.outputs = {b.node("Max", "max", {gelu, b.x, b.constant("floor", waves({4, 1, 1}))})};
  EXPECT_EQ(rewritten(b.graph, {fuse_elementwise}), "max_output_0 = Elementwise(x, other, floor)\n");
  EXPECT_EQ(attribute_of(b.graph, "Elementwise", "program"),
            "mul x0 x1; erf t0; add t1 1; mul t0 t2; max t3 x0; max t4 x2");
}

TEST(FuseElementwise, NotAcrossOtherShapesReadersAndTypes) {
  Builder b({1, 4, 6, 6});
  const auto row = b.graph.add_input("row", DType::kF32, {6});
  const auto small = b.node("Exp", "small", {row});       // of fewer values: once, not for each of them
  const auto seen = b.node("Mul", "seen", {b.x, small});  // an output
  const auto whole = b.node("Cast", "whole", {seen}, {{"to", int64_t{6}}});
  b.graph.outputs = {b.node("Neg", "negated", {seen}), seen, b.node("Add", "integers", {whole, whole})};
  EXPECT_EQ(rewritten(b.graph, {fuse_elementwise}),
            "small_output_0 = Elementwise(row)\n"
            "seen_output_0 = Elementwise(x, small_output_0)\n"
            "whole_output_0 = Cast(seen_output_0)\n"
            "negated_output_0 = Elementwise(seen_output_0)\n"
            "integers_output_0 = Add(whole_output_0, whole_output_0)\n");
}

TEST(FuseElementwise, LongChainsAreCut) {
  Builder b({1, 3, 5, 5});
  auto value = b.x;
  for (int i = 0; i < 120; ++i) value = b.node(i % 2 == 0 ? "Sin" : "Tanh", "n" + std::to_string(i), {value});
  for (int i = 0; i < 120; ++i) value = b.node(i % 2 == 0 ? "Abs" : "Tanh", "m" + std::to_string(i), {value});
  b.graph.outputs = {value};
  rewritten(b.graph, {fuse_elementwise});
  EXPECT_LE(b.graph.nodes.size(), 124u);  // Sin is no step
}

TEST(FuseElementwise, EveryOperatorComputesTheSame) {
  Builder b({2, 3, 5, 7});
  const auto positive = b.node("Exp", "positive", {b.x});
  const auto slope = b.constant("slope", waves({3, 1, 1}));
  const auto alpha = [](float value) { return Attributes{{"alpha", value}}; };
  b.graph.opset = 20;
  auto& outputs = b.graph.outputs;
  for (const char* op : {"Neg", "Abs", "Exp", "Tanh", "Erf", "Sigmoid", "Softplus", "Mish", "Relu", "HardSwish",
                         "Floor", "Ceil", "Round", "Selu", "Softsign", "Gelu"})
    outputs.push_back(b.node(op, op, {b.x}));
  for (const char* op : {"Sqrt", "Log", "Reciprocal"}) outputs.push_back(b.node(op, op, {positive}));
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Min", "Max"}) outputs.push_back(b.node(op, op, {b.x, positive}));
  for (const char* op : {"Sum", "Mean", "Min", "Max"})
    outputs.push_back(b.node(op, std::string(op) + "3", {b.x, positive, slope}));
  outputs.push_back(b.node("PRelu", "prelu", {b.x, slope}));
  for (const float exponent : {2.0f, 3.0f, 0.5f, -1.5f})
    outputs.push_back(b.node("Pow", "pow" + std::to_string(exponent),
                             {positive, number(b, "exponent" + std::to_string(exponent), exponent)}));
  outputs.push_back(b.node("LeakyRelu", "leaky", {b.x}, alpha(0.2f)));
  outputs.push_back(b.node("Elu", "elu", {b.x}, alpha(0.7f)));
  outputs.push_back(b.node("Gelu", "gelu_tanh", {b.x}, {{"approximate", std::string("tanh")}}));
  outputs.push_back(b.node("HardSigmoid", "hard", {b.x}, {{"alpha", 0.3f}, {"beta", 0.4f}}));
  outputs.push_back(b.node("Clip", "both", {b.x, number(b, "lowest", -0.5f), number(b, "highest", 0.25f)}));
  outputs.push_back(b.node("Clip", "below", {b.x, ir::kNoValue, number(b, "most", 0.125f)}));
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0);
}

TEST(SplitBatchNorms, BecomePartsOfPrograms) {
  Builder b({1, 3, 5, 7});
  const auto values = [&](const char* name, float shift) {
    Tensor tensor = waves({3}, shift);
    for (float& value : tensor.mutable_data<float>()) value = value * value + 0.5f;
    return b.constant(name, tensor);
  };
  const auto relu = b.node("Relu", "relu", {b.node("Add", "twice", {b.x, b.x})});
  const auto norm = b.node("BatchNormalization", "norm",
                           {relu, values("gamma", 0), values("beta", 1), values("mean", 2), values("variance", 3)});
  b.graph.outputs = {b.conv("conv", norm, {4, 3, 3, 3})};
  const auto names = implementations(expect_same(b.graph));
  EXPECT_EQ(std::ranges::count(names, "reference"), 0);
  EXPECT_EQ(std::ranges::count(names, "cpu:elementwise"), 1);
}

}  // namespace
}  // namespace effdet::compiler
