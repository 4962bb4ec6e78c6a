// Compaction, uses, order of nodes, and what verify refuses.
#include "ir/graph.h"

#include <gtest/gtest.h>

#include "effdet/error.h"
#include "ir/graph_text_test_util.h"

namespace effdet::ir {
namespace {

/// y = Relu(Add(x, c)), with a dead Neg beside it.
Graph small_graph() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, {1, 4});
  const float one = 1;
  const ValueId c = graph.add_constant("c", Tensor::scalar(one));
  const ValueId sum = graph.add_node("Add", "sum", {x, c});
  graph.add_node("Neg", "dead", {sum});
  graph.outputs = {graph.add_node("Relu", "relu", {sum})};
  return graph;
}

TEST(Graph, CompactDropsDeadNodesAndRenumbers) {
  Graph graph = small_graph();
  graph.compact();
  EXPECT_EQ(to_text(graph),
            "graph efficientdet opset 11 (%x:float32[1x4])\n"
            "  %sum_output_0:float32[*] = Add(%x, %c)  // sum\n"
            "  %relu_output_0:float32[*] = Relu(%sum_output_0)  // relu\n"
            "  return %relu_output_0\n");
  verify(graph);
}

TEST(Graph, FromText) {
  const Graph graph = graph_from_text(R"(
    input x [1,4]
    half = float[0.5]
    sum = Sum(x, half, int[1,2], waves[2,2], _) axes=[0,-1] axis=3 alpha=2.0 mode=nearest
    y = Relu(sum)
    output y, sum
  )");
  EXPECT_EQ(to_text(graph),
            "graph efficientdet opset 11 (%x:float32[1x4])\n"
            "  %sum_output_0:float32[*] = Sum(%x, %half, %sum.2, %sum.3, _) {alpha=2 axes=[0,-1] axis=3 "
            "mode=\"nearest\"}  // sum\n"
            "  %y_output_0:float32[*] = Relu(%sum_output_0)  // y\n"
            "  return %y_output_0, %sum_output_0\n");
  EXPECT_EQ(graph.constant(graph.nodes[0].inputs[1])->shape(), Shape{});
  EXPECT_EQ(graph.constant(graph.nodes[0].inputs[2])->dtype(), DType::kI64);
  EXPECT_EQ(graph.constant(graph.nodes[0].inputs[3])->shape(), (Shape{2, 2}));
  EXPECT_TRUE(std::holds_alternative<float>(*graph.nodes[0].find("alpha")));
}

TEST(Graph, UsesKnowProducersAndReaders) {
  const Graph graph = small_graph();
  const Uses uses(graph);
  const ValueId sum = graph.nodes[0].outputs[0];
  EXPECT_EQ(uses.producer(sum), 0);
  EXPECT_EQ(uses.readers(sum), (std::vector<int>{1, 2}));
  EXPECT_EQ(uses.sole_reader(sum), -1);
  EXPECT_EQ(uses.sole_reader(graph.inputs[0]), 0);
  EXPECT_TRUE(uses.is_output(graph.outputs[0]));
}

TEST(Graph, SortNodesPutsProducersFirst) {
  Graph graph = small_graph();
  std::swap(graph.nodes[0], graph.nodes[2]);
  EXPECT_THROW(verify(graph), Error);
  sort_nodes(graph);
  verify(graph);
}

TEST(Graph, Case57_CycleIsNamed) {
  Graph graph = small_graph();
  graph.nodes[0].inputs[1] = graph.outputs[0];
  try {
    sort_nodes(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cycle"), std::string::npos);
  }
}

TEST(Graph, Case57_DuplicateAndUndefinedValues) {
  Graph twice = small_graph();
  twice.nodes[1].outputs = twice.nodes[0].outputs;
  EXPECT_THROW(verify(twice), Error);
  Graph undefined = small_graph();
  undefined.nodes[0].inputs[0] = undefined.add_value({"nowhere"});
  EXPECT_THROW(verify(undefined), Error);
  Graph same_name = small_graph();
  same_name.value(same_name.outputs[0]).name = "x";
  EXPECT_THROW(verify(same_name), Error);
  same_name.outputs[0] = same_name.add_node("Identity", "copy", {same_name.inputs[0]});
  same_name.value(same_name.nodes[2].outputs[0]).name = "y";
  same_name.value(same_name.outputs[0]).name = "x";  // as a compiled model has it
  EXPECT_NO_THROW(verify(same_name));
}

TEST(Graph, ChannelsLastAreOfMapsThatNodesMake) {
  Graph graph = small_graph();
  Value& made = graph.value(graph.outputs[0]);
  made.layout = Layout::kNhwc;
  EXPECT_THROW(verify(graph), Error) << "of unknown rank";
  made.shape = Shape{1, 4};
  EXPECT_THROW(verify(graph), Error) << "no map";
  made.shape = Shape{1, 2, 2, 4};
  EXPECT_NO_THROW(verify(graph));
  graph.value(graph.inputs[0]).shape = made.shape;
  graph.value(graph.inputs[0]).layout = Layout::kNhwc;
  EXPECT_THROW(verify(graph), Error) << "an input";
}

TEST(Graph, AttributesHaveDefaultsAndTypes) {
  Node node{"Conv", "", "conv", {}, {}, {{"group", int64_t{4}}}};
  EXPECT_EQ(node.get_int("group", 1), 4);
  EXPECT_EQ(node.get_int("absent", 1), 1);
  EXPECT_THROW(node.get_string("group", ""), Error);
}

}  // namespace
}  // namespace effdet::ir
