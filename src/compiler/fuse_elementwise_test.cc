// Elementwise operators as one program.
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

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

}  // namespace
}  // namespace effdet::compiler
