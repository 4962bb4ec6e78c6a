// Nodes in the forms of later operator sets.
#include "onnx/raise_opset.h"

#include "ir/graph_text_test_util.h"
#include "onnx/test_util.h"
#include "support/error_of.h"

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
using test::error_of;

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

/// What the oldest exporters wrote, up to version 18.
TEST(RaiseOpset, AttributesOfTheOldestVersionsAreInputs) {
  ir::Graph graph = ir::graph_from_text(R"(
    input x [1,2,8,8]
    input rois [3,4]
    input batch [3]
    wide = Pad(x) pads=[0,0,1,1,0,0,1,1] value=2.5 mode=constant
    part = Slice(x) starts=[1] ends=[3] axes=[2]
    best = TopK(x) k=2 axis=3
    same = Dropout(x) ratio=0.5
    norm = BatchNormalization(same, waves[2], waves[2], waves[2], waves[2]) spatial=1
    large = Resize(x, waves[4]) mode=nearest
    pooled = RoiAlign(x, rois, batch) output_height=2 output_width=2
    output wide
    output part
    output best
    output norm
    output large
    output pooled
  )");
  graph.opset = 8;
  graph.nodes.at(2).outputs.push_back(graph.add_value({.name = "best.places", .dtype = DType::kI64}));
  raise_opset(graph, 18);
  ir::verify(graph);
  EXPECT_EQ(numbers(graph, "wide", 1), (List{0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(graph.constant(node_named(graph, "wide").inputs.at(2))->data<float>()[0], 2.5f);
  EXPECT_EQ(numbers(graph, "part", 1), List{1});
  EXPECT_EQ(numbers(graph, "part", 2), List{3});
  EXPECT_EQ(numbers(graph, "part", 3), List{2});
  EXPECT_EQ(numbers(graph, "best", 1), List{2});
  EXPECT_EQ(node_named(graph, "same").find("ratio"), nullptr);
  EXPECT_EQ(node_named(graph, "norm").find("spatial"), nullptr);
  const ir::Node& large = node_named(graph, "large");
  EXPECT_EQ(large.inputs.at(1), ir::kNoValue);  // no region
  EXPECT_EQ(large.inputs.size(), 3u);
  const auto word = [](const ir::Node& node, const char* name) { return std::get<std::string>(*node.find(name)); };
  EXPECT_EQ(word(large, "coordinate_transformation_mode"), "asymmetric");
  EXPECT_EQ(word(large, "nearest_mode"), "floor");
  EXPECT_EQ(word(node_named(graph, "pooled"), "coordinate_transformation_mode"), "output_half_pixel");
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

TEST(RaiseOpset, NamesOfConstantsAreFree) {
  ir::Graph graph =
      ir::graph_from_text("input x [2,4]\n a = Unsqueeze(x) axes=[0]\n b = Squeeze(a) axes=[1]\n output b");
  graph.value(graph.inputs[0]).name = "opset.axes";
  graph.inner_names = {"opset.axes_1", "other"};
  raise_opset(graph, 13);
  ir::verify(graph);
  EXPECT_EQ(graph.value(graph.nodes[0].inputs[1]).name, "opset.axes_2");
  EXPECT_EQ(graph.value(graph.nodes[1].inputs[1]).name, "opset.axes_3");
}

TEST(RaiseOpset, AxesFromTheEndAndInputsThatAreLeftOut) {
  ir::Graph graph = ir::graph_from_text(R"(
    input x [2,4]
    share = Softmax(x) axis=-1
    part = Split(share) axis=1
    own = Frob(part)
    output own
  )");
  graph.nodes[2].domain = "else.where";
  graph.nodes[1].inputs.push_back(ir::kNoValue);
  graph.value(graph.nodes[0].outputs[0]).shape = Shape{2, 4};
  raise_opset(graph, 18);
  ir::verify(graph);
  EXPECT_EQ(node_named(graph, "share").get_int("axis", 0), 1);
  EXPECT_EQ(node_named(graph, "part").get_int("num_outputs", 0), 1);
  EXPECT_EQ(node_named(graph, "own").inputs.size(), 1u) << "of another domain";

  ir::Graph resize =
      ir::graph_from_text("input x [1,2,4,4]\n a = Resize(x, waves[0], waves[4]) mode=nearest\n output a");
  resize.nodes[0].inputs.push_back(resize.add_constant("no_sizes", Tensor(DType::kI64, {0})));
  raise_opset(resize, 13);
  EXPECT_EQ(resize.nodes[0].inputs.size(), 3u);
  EXPECT_EQ(resize.nodes[0].inputs[1], ir::kNoValue);
}

TEST(RaiseOpset, WhatHoldsGraphsOfItsOwnIsRefused) {
  pb::ModelProto model = small_model();
  auto* body = model.mutable_graph()->mutable_node(0)->add_attribute();
  body->set_name("body");
  body->set_type(pb::AttributeProto::GRAPH);
  ir::Graph graph = read_back(model);
  const Error error = error_of([&] { raise_opset(graph, 13); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_STREQ(error.what(), "Add 'sum' cannot be written for a later operator set: it holds a graph of its own");
  ir::Graph functions = ir::graph_from_text("input x [2]\n a = Relu(x)\n output a");
  functions.functions = {std::make_shared<const std::string>()};
  EXPECT_STREQ(error_of([&] { raise_opset(functions, 13); }).what(),
               "a model with functions cannot be written for a later operator set");
}

TEST(BadInput, AttributesThatNoInputCanBe) {
  ir::Graph graph = ir::graph_from_text("input x [2]\n a = ReduceSum(x) keepdims=0\n output a");
  graph.nodes[0].attributes["axes"] = std::string("all");
  const Error error = error_of([&] { raise_opset(graph, 13); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_STREQ(error.what(), "ReduceSum 'a': attribute axes is neither a number nor a list of integers");
}

TEST(RaiseOpset, VersionsThatCannotBeWrittenAreRefused) {
  for (const int64_t opset : {10, 23}) EXPECT_EQ(error_of([&] { exported(opset); }).code(), ErrorCode::kUsage) << opset;
  ir::Graph graph = exported(18);
  EXPECT_EQ(error_of([&] { raise_opset(graph, 17); }).code(), ErrorCode::kUsage);
}

TEST(RaiseOpset, NodesThatCannotBeRewrittenAreNamed) {
  for (const char* text : {"input x [2,4,8]\n a = Softmax(x) axis=1\n output a",
                           "input x [2,?,8]\n b = Relu(x)\n a = LogSoftmax(b)\n output a",
                           "input x [2,4]\n a = Clip(x) min=0.5\n output a",
                           "input x [2,4,8]\n a = GroupNormalization(x, waves[2], waves[2]) num_groups=2\n output a"}) {
    ir::Graph graph = ir::graph_from_text(text);
    if (graph.nodes.back().is("Clip")) graph.opset = 10, graph.value(graph.inputs[0]).dtype = DType::kI64;
    const Error error = error_of([&] { raise_opset(graph, 22); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("'a' cannot be written"), std::string::npos) << error.what();
  }
  ir::Graph training = ir::graph_from_text(
      "input x [1,2,4,4]\n a = BatchNormalization(x, waves[2], waves[2], waves[2], waves[2]) spatial=0\n output a");
  training.opset = 8;
  EXPECT_CONTAINS(std::string(error_of([&] { raise_opset(training, 22); }).what()),
                  "its statistics are not of channels");
  training.nodes[0].attributes.clear();
  training.nodes[0].outputs.push_back(training.add_value({.name = "mean", .dtype = DType::kF32}));
  EXPECT_CONTAINS(std::string(error_of([&] { raise_opset(training, 22); }).what()), "it has the outputs of training");
  ir::Graph resize = ir::graph_from_text("input x [1,2,4,4]\n a = Resize(x) mode=nearest\n output a");
  resize.opset = 10;
  EXPECT_EQ(error_of([&] { raise_opset(resize, 11); }).code(), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace effdet::onnx
