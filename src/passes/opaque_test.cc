// Nodes that nobody understands stay what they are, and branches that are always taken become part of the graph.
#include "passes/branches_test_util.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rebatch.h"
#include "passes/surgery.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

/// Whether dimension 1 of a value is `number`, as PyTorch exports it.
ir::ValueId is_dim(ir::Graph& graph, ir::ValueId x, int64_t number) {
  const std::string name = "is" + std::to_string(number) + "_" + std::to_string(graph.nodes.size());
  const auto one = graph.add_constant(name + ".one", Tensor::scalar(int64_t{1}));
  const auto shape = graph.add_node("Shape", name + ".shape", {x});
  const auto dim = graph.add_node("Gather", name + ".dim", {shape, one});
  for (ir::ValueId id : {shape, dim}) graph.value(id).dtype = DType::kUnknown;  // as the reader has it
  return graph.add_node("Equal", name, {dim, graph.add_constant(name + ".number", Tensor::scalar(number))});
}

TEST(InlineBranches, TakesTheBranchOfAKnownShape) {
  for (const int64_t channels : {1, 4}) {
    ir::Graph graph;
    graph.opset = 13;
    const auto x = graph.add_input("x", DType::kF32, {2, channels});
    const auto y = add_if(graph, "if", is_dim(graph, x, 1), {x}, branch("Neg", "x"), branch("Abs", "x"));
    graph.outputs = {graph.add_node("Exp", "y", {y})};
    simplify(graph);
    EXPECT_EQ(lines(graph), channels == 1 ? "if/step_output_0 = Neg(x)\ny_output_0 = Exp(if/step_output_0)\n"
                                          : "if/step_output_0 = Abs(x)\ny_output_0 = Exp(if/step_output_0)\n");
    EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, channels}));
  }
}

/// A branch within a branch, conditions that depend on what a branch made, names that are there already.
TEST(InlineBranches, NestedOnesInTurn) {
  ir::Graph graph;
  graph.opset = 13;
  const auto x = graph.add_input("x", DType::kF32, {2, 4});
  graph.add_value({"outer/step_output_0", DType::kF32, Shape{2, 4}});
  ir::Graph nested;
  const auto captured = nested.add_value({"x", DType::kUnknown});
  const auto condition = nested.add_value({"yes", DType::kUnknown});
  nested.inputs = {captured, condition};
  nested.outputs = {add_if(nested, "inner", condition, {captured}, branch("Neg", "x"), branch("Abs", "x"))};
  const auto yes = graph.add_constant("yes", Tensor::scalar(true));
  const auto first = add_if(graph, "outer", is_dim(graph, x, 1), {x, yes}, branch("Exp", "x"), nested);
  const auto second =
      add_if(graph, "second", is_dim(graph, first, 4), {first}, branch("Sin", graph.value(first).name.c_str()),
             branch("Cos", graph.value(first).name.c_str()));
  graph.outputs = {second};
  ops::infer_shapes(graph);
  EXPECT_TRUE(inline_branches(graph));
  graph.compact();
  ir::verify(graph);
  eliminate_identity(graph);
  EXPECT_EQ(lines(graph), "outer/inner/step_output_0 = Neg(x)\nsecond_output_0 = Sin(outer/inner/step_output_0)\n");
}

TEST(InlineBranches, LeavesWhatIsNotKnown) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2, 4}), choice = graph.add_input("choice", DType::kBool, {});
  graph.outputs = {add_if(graph, "if", choice, {x}, branch("Neg", "x"), branch("Abs", "x"))};
  simplify(graph);
  EXPECT_EQ(lines(graph), "if_output_0 = If(choice, x)\n");
  ir::Graph unfit;  // a branch that wants something else
  const auto z = unfit.add_input("z", DType::kF32, {2, 4});
  unfit.outputs = {add_if(unfit, "if", unfit.add_constant("no", Tensor::scalar(false)), {z}, branch("Neg", "z"),
                          branch("Abs", "y"))};
  simplify(unfit);
  EXPECT_EQ(unfit.nodes.at(0).op, "If");
}

/// x -> Identity -> Frob("scale") -> y, and z = Abs(x + 0).
ir::Graph with_unknown() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 2, 256, 256});
  const auto same = graph.add_node("Identity", "same", {x});
  const auto y = graph.add_node("Frob", "frob", {same, graph.add_constant("scale", floats({}, {2}))}, {}, "else.where");
  graph.value(y).dtype = DType::kUnknown;
  graph.outputs = {y, graph.add_node("Abs", "z", {graph.add_node("Identity", "again", {x})})};
  ops::infer_shapes(graph);
  return graph;
}

TEST(OpaqueNodes, StayWhileTheRestIsSimplified) {
  ir::Graph graph = with_unknown();
  EXPECT_TRUE(graph.nodes[1].opaque);
  simplify(graph);
  EXPECT_EQ(lines(graph), "frob_output_0 = Frob(x, scale)\nz_output_0 = Abs(x)\n");
  EXPECT_THROW(ops::require_supported(graph), Error);
  set_input_shape(graph, "x", {1, 2, 128, 128});
  graph.outputs.erase(graph.outputs.begin());
  graph.compact();
  ops::require_supported(graph);
}

/// Two of them may be random: they are neither merged nor folded.
TEST(OpaqueNodes, AreNeitherMergedNorFolded) {
  ir::Graph graph;
  const auto c = graph.add_constant("c", floats({1}, {1}));
  for (const char* name : {"a", "b"})
    graph.outputs.push_back(
        graph.add_node("Relu", std::string(name) + "2", {graph.add_node("RandomNormalLike", name, {c})}));
  simplify(graph);
  EXPECT_EQ(graph.nodes.size(), 4u);
}

/// A pattern of known operators on a type that is not known is no pattern.
TEST(OpaqueNodes, NobodyLooksBehindATypeThatIsNotKnown) {
  ir::Graph graph;
  const auto x = graph.add_value({"x", DType::kUnknown});
  graph.inputs = {x};
  const auto conv = graph.add_node("Conv", "conv", {x, graph.add_constant("w", floats({}, {1}))});
  const auto parameter = graph.add_constant("p", floats({1}, {1}));
  const auto norm = graph.add_node("BatchNormalization", "norm", {conv, parameter, parameter, parameter, parameter});
  const auto cast = graph.add_node("Cast", "cast", {norm}, {{"to", int64_t{1}}});
  graph.outputs = {graph.add_node("Transpose", "t", {graph.add_node("Pad", "pad", {cast})})};
  for (const ir::Node& node : graph.nodes) graph.value(node.outputs[0]).dtype = DType::kUnknown;
  simplify(graph);
  EXPECT_EQ(graph.nodes.size(), 5u);
  for (const ir::Node& node : graph.nodes) EXPECT_TRUE(node.opaque) << node.name;
}

TEST(OpaqueNodes, SurgeryAroundThem) {
  ir::Graph graph = with_unknown();
  insert_identity(graph, "x", "front");
  rename(graph, "frob_output_0", "found");
  set_attribute(graph, "frob", "alpha", "0.5");
  EXPECT_EQ(graph.nodes[2].get_float("alpha", 0), 0.5f);
  ir::Graph front = graph;
  extract(front, {}, {"same"});
  EXPECT_EQ(front.nodes.size(), 2u);
  ir::Graph after = graph;
  EXPECT_THROW(extract(after, {"found"}, {}), Error);  // an input of what type?
  remove_node(graph, "frob");
  EXPECT_EQ(graph.nodes[2].op, "Identity");
  ops::require_supported(graph);
}

TEST(OpaqueNodes, DeclaredShapesGoWithTheInputsShape) {
  ir::Graph graph = with_unknown();
  graph.value(graph.outputs[0]).dtype = DType::kF32;
  graph.value(graph.outputs[0]).shape = Shape{1, 2, 256, 256};
  set_input_shape(graph, "x", {4, 2, 256, 256});
  EXPECT_FALSE(graph.value(graph.outputs[0]).shape.has_value());
  EXPECT_EQ(graph.value(graph.outputs[1]).shape, (Shape{4, 2, 256, 256}));
}

TEST(CheckEquivalence, ComparesWhatUnknownNodesRead) {
  const ir::Graph before = with_unknown();
  ir::Graph after = before;
  simplify(after);
  const ModelCheck report = check_equivalence(before, after, {});
  EXPECT_TRUE(report.same);
  EXPECT_EQ(report.opaque, 1u);
  EXPECT_EQ(report.operators, std::vector<std::string>{"Frob"});
  EXPECT_EQ(report.unchecked, std::vector<std::string>{"frob_output_0"});
  ir::Graph wrong = after;
  wrong.value(wrong.find_value("scale")).constant = floats({}, {3});
  EXPECT_FALSE(check_equivalence(before, wrong, {}).same);
  wrong = after;
  wrong.nodes[0].inputs[0] = wrong.outputs[1];
  std::swap(wrong.nodes[0], wrong.nodes[1]);
  EXPECT_FALSE(check_equivalence(before, wrong, {}).same);
  wrong = after;
  wrong.nodes[0].attributes["alpha"] = int64_t{1};
  EXPECT_FALSE(check_equivalence(before, wrong, {}).same);
}

/// An Identity after such a node goes, and its name with it: what the node makes has another name then, and maybe a
/// shape that it did not have.
TEST(CheckEquivalence, ComparesWhereAnIdentityBehindUnknownNodesGoes) {
  for (const bool declared : {true, false}) {
    ir::Graph graph = with_unknown();
    const auto y = graph.outputs[0];
    graph.value(y).dtype = DType::kF32;
    if (declared) graph.value(y).shape = Shape{1, 2, 4};
    graph.outputs = {graph.add_node("Identity", "last", {y})};
    graph.value(graph.outputs[0]).shape = Shape{1, 2, 4};
    ops::infer_shapes(graph);
    ir::Graph after = graph;
    simplify(after);
    EXPECT_EQ(lines(after), "last_output_0 = Frob(x, scale)\n");
    const ModelCheck report = check_equivalence(graph, after, {});
    EXPECT_TRUE(report.same) << declared;
    EXPECT_EQ(report.unchecked.empty(), declared);
    ir::Graph wrong = after;
    wrong.value(wrong.find_value("scale")).constant = floats({}, {3});
    EXPECT_FALSE(check_equivalence(graph, wrong, {}).same);
  }
}

/// What they make is random where its type and shape are declared, so that the rest after it is compared.
TEST(CheckEquivalence, ComparesWhatIsBehindUnknownNodes) {
  const auto make = [](float factor) {
    ir::Graph graph = with_unknown();
    const auto y = graph.outputs[0];
    graph.value(y).dtype = DType::kF32;
    graph.value(y).shape = Shape{1, 2, 4};
    graph.outputs = {graph.add_node(
        "Mul", "scaled", {graph.add_node("Identity", "third", {y}), graph.add_constant("f", floats({}, {factor}))})};
    ops::infer_shapes(graph);
    return graph;
  };
  ir::Graph right = make(2), wrong = make(3);
  simplify(right);
  simplify(wrong);
  const ModelCheck report = check_equivalence(make(2), right, {});
  EXPECT_TRUE(report.same);
  EXPECT_TRUE(report.unchecked.empty());
  EXPECT_FALSE(check_equivalence(make(2), wrong, {}).same);
}

/// An If by an input, with an If by a shape in its first branch and one by the input in its second.
TEST(JoinBranches, TakesBothInWhereTheConditionIsNotKnown) {
  ir::Graph graph;
  graph.opset = 13;
  const auto x = graph.add_input("x", DType::kF32, {2, 4});
  const auto flag = graph.add_input("flag", DType::kBool, {});
  ir::Graph then = branch("Neg", "x"), otherwise;
  const auto inner_x = otherwise.add_value({"x", DType::kUnknown}),
             inner_flag = otherwise.add_value({"flag", DType::kUnknown});
  otherwise.inputs = {inner_x, inner_flag};
  otherwise.outputs = {add_if(otherwise, "inner", inner_flag, {inner_x}, branch("Abs", "x"), branch("Sqrt", "x"))};
  const auto y = add_if(graph, "if", flag, {x, flag}, std::move(then), std::move(otherwise));
  graph.outputs = {graph.add_node("Exp", "y", {y})};
  ir::Graph plain = graph;
  EXPECT_FALSE(inline_branches(plain)) << "as onnxsim keeps it";
  EXPECT_TRUE(join_branches(graph));
  ir::verify(graph);
  EXPECT_EQ(lines(graph),
            "if/step_output_0 = Neg(x)\nif/inner/step_output_0 = Abs(x)\nif/inner/step_output_0_1 = Sqrt(x)\n"
            "if/inner_output_0 = Choose(flag, if/inner/step_output_0, if/inner/step_output_0_1)\n"
            "if_output_0 = Choose(flag, if/step_output_0, if/inner_output_0)\ny_output_0 = Exp(if_output_0)\n");
  for (const ir::Node& node : graph.nodes) EXPECT_EQ(node.conditional, node.name.starts_with("if/")) << node.name;
  ops::infer_shapes(graph);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 4}));
}

}  // namespace
}  // namespace effdet::passes
