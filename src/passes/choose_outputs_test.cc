// Other outputs for a graph.
#include "passes/choose_outputs.h"

#include <gtest/gtest.h>

#include "effdet/error.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

ir::Graph relu_and_neg() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {2});
  const auto a = graph.add_node("Relu", "a", {x});
  graph.outputs = {graph.add_node("Neg", "b", {a})};
  return graph;
}

TEST(ChooseOutputs, TakesThemInOrderAndDropsTheRest) {
  ir::Graph graph = relu_and_neg();
  choose_outputs(graph, {"a_output_0", "x"});
  EXPECT_EQ(lines(graph), "a_output_0 = Relu(x)\n");
  ASSERT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "a_output_0");
  EXPECT_EQ(graph.value(graph.outputs[1]).name, "x");
}

TEST(ChooseOutputs, NoNamesLeaveTheGraph) {
  ir::Graph graph = relu_and_neg();
  choose_outputs(graph, {});
  EXPECT_EQ(lines(graph), lines(relu_and_neg()));
}

TEST(ChooseOutputs, RefusesAnUnknownName) {
  ir::Graph graph = relu_and_neg();
  try {
    choose_outputs(graph, {"c"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_STREQ(error.what(), "the model has no tensor 'c' to give out");
  }
}

}  // namespace
}  // namespace effdet::passes
