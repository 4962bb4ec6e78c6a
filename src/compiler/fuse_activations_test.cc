// Activations as they are spelled, and into what makes their input.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

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

}  // namespace
}  // namespace effdet::compiler
