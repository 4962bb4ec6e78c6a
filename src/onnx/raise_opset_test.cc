// Nodes in the forms of later operator sets.
#include "onnx/raise_opset.h"

#include "ir/graph_text_test_util.h"
#include "onnx/test_util.h"

namespace effdet::onnx {
namespace {

constexpr const char* kExported = R"(
  input x [2,4,8,8]
  mean = ReduceMean(x) axes=[2,3] keepdims=1
  most = ReduceMax(x) axes=[2,3] keepdims=1
  all = ReduceSum(x) axes=[1] keepdims=1
  flat = Squeeze(mean) axes=[2,3]
  back = Unsqueeze(flat) axes=[2,3]
  part = Split(x) axis=1 split=[1,3]
  half = Split(x) axis=1
  large = Resize(x, waves[0], waves[0], int[2,4,16,16]) mode=nearest
  share = Softmax(flat)
  output back
  output most
  output all
  output part
  output half
  output large
  output share
)";

ir::Graph exported(int64_t opset) {
  ir::Graph graph = ir::graph_from_text(kExported);
  ir::Node& half = graph.nodes.at(6);
  half.outputs.push_back(graph.add_value({.name = "half.second", .dtype = DType::kF32}));
  graph.value(graph.nodes.at(3).outputs.at(0)).shape = Shape{2, 4};
  raise_opset(graph, opset);
  ir::verify(graph);
  return graph;
}

/// The constant at a place of the node that makes a value; empty where there is none.
std::vector<int64_t> numbers(const ir::Graph& graph, const std::string& node, size_t place) {
  for (const ir::Node& n : graph.nodes) {
    if (n.name != node || n.inputs.size() <= place || n.inputs[place] == ir::kNoValue) continue;
    const auto data = graph.constant(n.inputs[place])->data<int64_t>();
    return {data.begin(), data.end()};
  }
  return {};
}

const ir::Node& node_named(const ir::Graph& graph, const std::string& name) {
  return *std::ranges::find(graph.nodes, name, &ir::Node::name);
}

using List = std::vector<int64_t>;

TEST(RaiseOpset, TheSameVersionChangesNothing) {
  EXPECT_EQ(ir::to_text(exported(11)).find("opset."), std::string::npos);
  EXPECT_EQ(exported(11).opset, 11);
}

TEST(RaiseOpset, AxesAndSizesAreInputsFromTheVersionThatMovedThem) {
  for (int64_t opset = kLowestOpset; opset <= kHighestOpset; ++opset) {
    const ir::Graph graph = exported(opset);
    EXPECT_EQ(graph.opset, opset);
    const bool of_13 = opset >= 13, of_18 = opset >= 18;
    EXPECT_EQ(numbers(graph, "all", 1), of_13 ? List{1} : List{}) << opset;
    EXPECT_EQ(numbers(graph, "flat", 1), of_13 ? (List{2, 3}) : List{}) << opset;
    EXPECT_EQ(numbers(graph, "part", 1), of_13 ? (List{1, 3}) : List{}) << opset;
    EXPECT_EQ(numbers(graph, "mean", 1), of_18 ? (List{2, 3}) : List{}) << opset;
    EXPECT_EQ(numbers(graph, "most", 1), of_18 ? (List{2, 3}) : List{}) << opset;
    EXPECT_EQ(node_named(graph, "mean").find("axes") == nullptr, of_18) << opset;
    EXPECT_EQ(node_named(graph, "half").get_int("num_outputs", 0), of_18 ? 2 : 0) << opset;
    EXPECT_EQ(node_named(graph, "part").find("num_outputs"), nullptr) << opset;
    EXPECT_EQ(node_named(graph, "share").get_int("axis", 1), 1) << opset;
    EXPECT_EQ(node_named(graph, "share").find("axis") != nullptr, of_13) << opset;
    EXPECT_EQ(node_named(graph, "large").inputs.at(1) == ir::kNoValue, of_13) << opset;
  }
}

TEST(RaiseOpset, NodesThatSayTheSameShareAConstant) {
  const ir::Graph graph = exported(18);
  EXPECT_EQ(node_named(graph, "mean").inputs.at(1), node_named(graph, "back").inputs.at(1));
}

/// Numbers are not looked up among those of other nodes: names for many are found at once.
TEST(RaiseOpset, ManyNodesGetConstantsOfTheirOwn) {
  constexpr int kNodes = 30000;
  ir::Graph graph;
  graph.opset = 9;
  ir::ValueId value = graph.add_input("x", DType::kF32, {1, 4});
  for (int i = 0; i < kNodes; ++i) {
    value = graph.add_node("Clip", "n" + std::to_string(i), {value}, {{"min", static_cast<float>(-i)}});
    graph.value(value).dtype = DType::kF32;
  }
  graph.outputs = {value};
  raise_opset(graph, 11);
  ir::verify(graph);
  EXPECT_EQ(graph.constant(graph.nodes.at(2).inputs.at(1))->data<float>()[0], -2);
  EXPECT_EQ(graph.constant(graph.nodes.at(kNodes - 1).inputs.at(1))->data<float>()[0], 1 - kNodes);
}

/// Code and message of what f throws.
template <typename F>
std::pair<ErrorCode, std::string> error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ErrorCode::kInternal, "no error"};
}

TEST(RaiseOpset, VersionsThatCannotBeWrittenAreRefused) {
  for (const int64_t opset : {10, 23}) EXPECT_EQ(error_of([&] { exported(opset); }).first, ErrorCode::kUsage) << opset;
  ir::Graph graph = exported(18);
  EXPECT_EQ(error_of([&] { raise_opset(graph, 17); }).first, ErrorCode::kUsage);
}

TEST(RaiseOpset, NodesThatCannotBeRewrittenAreNamed) {
  for (const char* text : {"input x [2,4,8]\n a = Softmax(x) axis=1\n output a",
                           "input x [2,4,8]\n a = GroupNormalization(x, waves[2], waves[2]) num_groups=2\n output a"}) {
    ir::Graph graph = ir::graph_from_text(text);
    const auto [code, message] = error_of([&] { raise_opset(graph, 22); });
    EXPECT_EQ(code, ErrorCode::kUnsupported);
    EXPECT_NE(message.find("'a' cannot be written"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace effdet::onnx
