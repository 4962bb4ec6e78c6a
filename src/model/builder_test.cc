// The graph's structure: operators, names, shapes and padding. What it computes is checked in builder_golden_test.cc.
#include "model/builder.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "model/network.h"

namespace effdet::model {
namespace {

ir::Graph graph_of(std::string_view variant, int height, int width, int batch = 1) {
  ModelConfig config = default_config(*find_variant(variant));
  config.image_height = height;
  config.image_width = width;
  config.batch = batch;
  ShapeRecorder recorder;
  return build_graph(config, recorder);
}

const ir::Node& node_named(const ir::Graph& graph, std::string_view name) {
  for (const ir::Node& node : graph.nodes)
    if (node.name == name) return node;
  throw std::out_of_range(std::string(name));
}

TEST(Builder, EveryVariantIsAValidGraphOfOnnxOperators) {
  const std::set<std::string> operators = {
      "Conv", "BatchNormalization", "Sigmoid",     "Mul",      "Add",  "Clip",  "ReduceMean", "MaxPool", "Resize",
      "Relu", "LeakyRelu",          "HardSigmoid", "Softplus", "Tanh", "Split", "Concat",     "Pad"};
  for (const Variant& variant : variants()) {
    const ir::Graph graph = graph_of(variant.name, variant.image_height, variant.image_width);
    EXPECT_NO_THROW(ir::verify(graph)) << variant.name;
    std::set<std::string> names;
    for (const ir::Node& node : graph.nodes) {
      EXPECT_TRUE(operators.contains(node.op)) << node.op;
      EXPECT_TRUE(names.insert(node.name).second) << node.name;
    }
    EXPECT_EQ(graph.outputs.size(), static_cast<size_t>(2 * variant.levels()));
    EXPECT_EQ(graph.opset, 11);
  }
}

TEST(Builder, InputAndOutputsInTheOriginalsOrder) {
  const ir::Graph graph = graph_of("tf_efficientdet_d7", 1536, 1536, 2);
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x.1");
  EXPECT_EQ(graph.value(graph.inputs[0]).shape, (Shape{2, 3, 1536, 1536}));
  const int sides[] = {192, 96, 48, 24, 12};
  for (size_t i = 0; i < 5; ++i) {
    const auto& classes = graph.value(graph.outputs[i]);
    const auto& boxes = graph.value(graph.outputs[i + 5]);
    EXPECT_EQ(classes.name, "class_l" + std::to_string(i + 3));
    EXPECT_EQ(boxes.name, "box_l" + std::to_string(i + 3));
    EXPECT_EQ(classes.shape, (Shape{2, 810, sides[i], sides[i]}));
    EXPECT_EQ(boxes.shape, (Shape{2, 36, sides[i], sides[i]}));
  }
}

TEST(Builder, PaddingIsExplicit) {
  using Ints = std::vector<int64_t>;
  const auto pads = [](const ir::Graph& graph, const char* node) {
    return node_named(graph, node).get_ints("pads", {});
  };
  const ir::Graph same = graph_of("tf_efficientdet_d0", 512, 512);
  EXPECT_EQ(pads(same, "/backbone/conv_stem/Conv"), (Ints{0, 0, 1, 1}));
  EXPECT_EQ(pads(same, "/backbone/blocks/2/0/conv_dw/Conv"), (Ints{1, 1, 2, 2}));
  EXPECT_EQ(pads(same, "/fpn/resample/3/downsample/MaxPool"), (Ints{0, 0, 1, 1}));
  const ir::Graph symmetric = graph_of("efficientdet_d0", 512, 512);
  EXPECT_EQ(pads(symmetric, "/backbone/conv_stem/Conv"), (Ints{1, 1, 1, 1}));
  EXPECT_EQ(pads(symmetric, "/fpn/resample/3/downsample/MaxPool"), (Ints{1, 1, 1, 1}));
  const ir::Graph odd = graph_of("tf_efficientdet_lite0", 320, 320);  // level 6 has 5 x 5 cells, level 7 has 3 x 3
  EXPECT_EQ(pads(odd, "/fpn/resample/4/downsample/MaxPool"), (Ints{1, 1, 1, 1}));
}

TEST(Builder, ResizeHasScalesWhereItDoublesAndSizesElsewhere) {
  const ir::Graph graph = graph_of("tf_efficientdet_lite0", 320, 320);
  const ir::Node& odd = node_named(graph, "/fpn/cell/0/fnode/0/combine/resample/4/upsample/Resize");
  ASSERT_EQ(odd.inputs.size(), 4u);
  const Tensor* sizes = graph.constant(odd.inputs[3]);
  ASSERT_NE(sizes, nullptr);
  EXPECT_EQ((std::vector<int64_t>(sizes->data<int64_t>().begin(), sizes->data<int64_t>().end())),
            (std::vector<int64_t>{1, 64, 5, 5}));
  const ir::Node& even = node_named(graph, "/fpn/cell/0/fnode/1/combine/resample/5/upsample/Resize");
  ASSERT_EQ(even.inputs.size(), 3u);
  EXPECT_EQ(graph.constant(even.inputs[2])->data<float>()[3], 2.0f);
}

TEST(Builder, NamesTellWhereTheyComeFrom) {
  const ir::Graph graph = graph_of("tf_efficientdet_d0", 256, 384);
  const ir::Node& conv = node_named(graph, "/fpn/cell/0/fnode/3/after_combine/conv/conv_dw/Conv");
  EXPECT_EQ(graph.value(conv.inputs[1]).name, "fpn.cell.0.fnode.3.after_combine.conv.conv_dw.weight");
  EXPECT_EQ(graph.value(conv.outputs[0]).shape, (Shape{1, 64, 32, 48}));
  EXPECT_EQ(graph.metadata.at("effdet.variant"), "tf_efficientdet_d0");
  EXPECT_EQ(graph.metadata.at("effdet.image_size"), "[256,384]");
}

TEST(Bifpn, NodesOfFiveLevels) {
  const auto nodes = pyramid_nodes(Pyramid::kBifpn, 3, 7);
  const std::vector<std::pair<int, std::vector<int>>> expected = {{6, {3, 4}},     {5, {2, 5}},    {4, {1, 6}},
                                                                  {3, {0, 7}},     {4, {1, 7, 8}}, {5, {2, 6, 9}},
                                                                  {6, {3, 5, 10}}, {7, {4, 11}}};
  ASSERT_EQ(nodes.size(), expected.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(nodes[i].level, expected[i].first) << i;
    EXPECT_EQ(nodes[i].inputs, expected[i].second) << i;
  }
}

TEST(Pyramid, PanAndQuadAsEffdetHasThem) {
  const auto text = [](Pyramid pyramid, int max_level) {
    std::string line;
    for (const FusionNode& node : pyramid_nodes(pyramid, 3, max_level)) {
      line += (line.empty() ? "" : " ") + std::to_string(node.level) + ":";
      for (size_t i = 0; i < node.inputs.size(); ++i) line += (i ? "," : "") + std::to_string(node.inputs[i]);
    }
    return line;
  };
  // panfpn_config and qufpn_config of effdet 0.4.1.
  EXPECT_EQ(text(Pyramid::kPan, 7), "7:4 6:3,5 5:2,6 4:1,7 3:0,8 3:9 4:8,10 5:7,11 6:6,12 7:5,13");
  EXPECT_EQ(text(Pyramid::kQuad, 7),
            "6:3,4 5:2,5 4:1,6 3:0,7 4:1,7,8 5:2,6,9 6:3,5,10 7:4,11 4:1,0 5:2,13 6:3,14 7:4,15 6:3,15,16 5:2,14,17 "
            "4:1,13,18 3:0,19 3:8,20 4:9,19 5:10,18 6:11,17 7:12,16");
}

TEST(Builder, IllegalConfigurationsAreRefused) {
  const auto build = [](auto&& change) {
    ModelConfig config = default_config(*find_variant("tf_efficientdet_d0"));
    change(config);
    ShapeRecorder recorder;
    build_graph(config, recorder);
  };
  EXPECT_NO_THROW(build([](ModelConfig&) {}));
  EXPECT_THROW(build([](ModelConfig& c) { c.num_classes = 0; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.num_classes = 1 << 30; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.batch = 0; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.image_width = 500; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.aspect_ratios.clear(); }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.num_scales = -3; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.num_scales = 1 << 30; }), Error);
  EXPECT_THROW(build([](ModelConfig& c) { c.class_names = {"one"}; }), Error);
}

}  // namespace
}  // namespace effdet::model
