// Edits by name: the text afterwards, and what is refused.
#include "passes/surgery.h"

#include "base/error.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

/// x -> a (LeakyRelu) -> b (Add w) -> c (Relu); outputs c.
ir::Graph chain() {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {3});
  const auto a = graph.add_node("LeakyRelu", "a", {x}, {{"alpha", 0.5f}});
  const auto b = graph.add_node("Add", "b", {a, graph.add_constant("w", floats({3}, {1, 2, 3}))});
  graph.outputs = {graph.add_node("Relu", "c", {b})};
  ops::infer_shapes(graph);
  return graph;
}

template <typename F>
std::string refusal(F&& edit) {
  ir::Graph graph = chain();
  try {
    edit(graph);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "the edit was accepted";
  return "";
}

TEST(Surgery, SetInitializer) {
  ir::Graph graph = chain();
  set_initializer(graph, "w", "-0.5");
  EXPECT_EQ(graph.constant(graph.find_value("w"))->data<float>()[2], -0.5f);
  set_initializer(graph, "w", "4,-inf,6e3");
  EXPECT_EQ(graph.constant(graph.find_value("w"))->data<float>()[1], -INFINITY);
  EXPECT_EQ(graph.constant(graph.find_value("w"))->data<float>()[2], 6000);
  refusal([](ir::Graph& g) { set_initializer(g, "x", "1"); });
  refusal([](ir::Graph& g) { set_initializer(g, "w", "1,2"); });
  refusal([](ir::Graph& g) { set_initializer(g, "w", "one"); });
}

TEST(Surgery, SetAttributeKeepsTheType) {
  ir::Graph graph = chain();
  set_attribute(graph, "a", "alpha", "2");
  EXPECT_EQ(graph.nodes[0].get_float("alpha", 0), 2);
  set_attribute(graph, "b", "list", "[1,2]");
  EXPECT_EQ(graph.nodes[1].get_ints("list", {}), (List{1, 2}));
  set_attribute(graph, "b", "word", "nearest");
  EXPECT_EQ(graph.nodes[1].get_string("word", ""), "nearest");
  refusal([](ir::Graph& g) { set_attribute(g, "a", "alpha", "much"); });
  refusal([](ir::Graph& g) { set_attribute(g, "nobody", "alpha", "1"); });
}

TEST(Surgery, Rename) {
  ir::Graph graph = chain();
  rename(graph, "x", "image");
  rename(graph, "b", "bias");
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "image");
  EXPECT_EQ(graph.nodes[1].name, "bias");
  refusal([](ir::Graph& g) { rename(g, "x", "w"); });
  refusal([](ir::Graph& g) { rename(g, "a", "b"); });
  refusal([](ir::Graph& g) { rename(g, "nobody", "b2"); });
}

TEST(Surgery, RemoveNode) {
  ir::Graph graph = chain();
  remove_node(graph, "b");
  EXPECT_EQ(lines(graph), "a_output_0 = LeakyRelu(x)\nc_output_0 = Relu(a_output_0)\n");
  remove_node(graph, "c");
  EXPECT_EQ(lines(graph), "a_output_0 = LeakyRelu(x)\nc_output_0 = Identity(a_output_0)\n");
  refusal([](ir::Graph& g) { remove_node(g, "nobody"); });
}

TEST(Surgery, InsertIdentity) {
  ir::Graph graph = chain();
  insert_identity(graph, "a", "probe");
  EXPECT_EQ(lines(graph),
            "a_output_0 = LeakyRelu(x)\nprobe_output_0 = Identity(a_output_0)\nb_output_0 = Add(probe_output_0, w)\n"
            "c_output_0 = Relu(b_output_0)\n");
  EXPECT_LT(compare_whole(chain(), graph, {.runs = 1, .seed = 1}).difference, 1e-6);
  refusal([](ir::Graph& g) { insert_identity(g, "c", "probe"); });
}

TEST(Surgery, Outputs) {
  ir::Graph graph = chain();
  extract(graph, {}, {"b:0", "a"});
  EXPECT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "b_output_0");
  graph = chain();
  add_outputs(graph, {"a", "c"});
  EXPECT_EQ(graph.outputs.size(), 2u);
  add_all_outputs(graph);
  EXPECT_EQ(graph.outputs.size(), 3u);
  refusal([](ir::Graph& g) { extract(g, {}, {"b:1"}); });
  refusal([](ir::Graph& g) { add_outputs(g, {"nobody"}); });
}

TEST(Surgery, Extract) {
  ir::Graph graph = chain();
  extract(graph, {"a"}, {"b"});
  EXPECT_EQ(lines(graph), "b_output_0 = Add(a_output_0, w)\n");
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "a_output_0");
  graph = chain();
  extract(graph, {}, {"a"});
  EXPECT_EQ(lines(graph), "a_output_0 = LeakyRelu(x)\n");
  refusal([](ir::Graph& g) { extract(g, {"w"}, {}); });
}

}  // namespace
}  // namespace effdet::passes
