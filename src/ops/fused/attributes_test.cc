// Typed attributes of fused operators: defaults, what nodes say, and what is refused.
#include <gtest/gtest.h>

#include "ops/fused/average_pool.h"
#include "ops/fused/conv.h"
#include "ops/fused/conv_transpose.h"
#include "ops/fused/depthwise_conv.h"
#include "ops/fused/depthwise_pointwise.h"
#include "ops/fused/expand_depthwise.h"
#include "ops/fused/maps.h"
#include "ops/fused/max_pool.h"
#include "ops/fused/mix.h"
#include "ops/fused/squeeze_excite.h"

namespace effdet::ops {
namespace {

using Ints = std::vector<int64_t>;
using Attributes = std::map<std::string, ir::Attribute>;

ir::Node node_with(Attributes attributes) {
  return {"Any", std::string(ir::kFusedDomain), "n", {0, 1, 2}, {3}, std::move(attributes)};
}

/// A node's attributes with one more, or another value.
ir::Node changed(ir::Node node, const std::string& name, ir::Attribute value) {
  node.attributes[name] = std::move(value);
  return node;
}

ir::Node conv_node() {
  return node_with({{"out_channels", int64_t{32}},
                    {"group", int64_t{2}},
                    {"kernel_shape", Ints{3, 1}},
                    {"strides", Ints{2, 1}},
                    {"pads", Ints{1, 0, 1, 0}},
                    {"activation", "relu6; mul x0 0.5"},
                    {"layout", "nchw"},
                    {"output_layout", "nhwc"},
                    {"output_type", "bfloat16"},
                    {"product", "winograd"}});
}

TEST(FusedAttributes, ConvReadsWhatANodeSays) {
  const auto a = ConvAttributes::of(conv_node());
  EXPECT_EQ(a.window, (Window2d{3, 1, 2, 1, 1, 0, 1, 0}));
  EXPECT_EQ(a.group, 2);
  EXPECT_EQ(a.out_channels, 32);
  EXPECT_EQ(a.activation.steps.size(), 1u);
  EXPECT_EQ(a.layouts.input, Layout::kPlain);
  EXPECT_EQ(a.layouts.output, Layout::kNhwc);
  EXPECT_EQ(a.output_type, DType::kBF16);
  EXPECT_EQ(a.products, Products::kWinograd);
  EXPECT_EQ(a.group_channels(8), 4);
  EXPECT_EQ(a.depth(8), 12);
  EXPECT_FALSE(a.is_pointwise());
}

TEST(FusedAttributes, ConvHasDefaults) {
  const auto a = ConvAttributes::of(node_with({{"out_channels", int64_t{5}}, {"layout", "nhwc"}}));
  EXPECT_TRUE(a.is_pointwise());
  EXPECT_TRUE(a.activation.is_none());
  EXPECT_EQ(a.layouts.output, Layout::kNhwc) << "as the input";
  EXPECT_EQ(a.output_type, std::nullopt);
  EXPECT_EQ(a.products, Products::kAny);
}

TEST(FusedAttributes, ConvRefusesWhatNoneHas) {
  const std::pair<std::string, ir::Attribute> bad[] = {{"out_channels", int64_t{0}},
                                                       {"out_channels", kMaxOutChannels + 1},
                                                       {"group", int64_t{0}},
                                                       {"group", int64_t{4}},  // 8 outputs each: no whole panels
                                                       {"kernel_shape", Ints{3}},
                                                       {"kernel_shape", Ints{0, 1}},
                                                       {"strides", Ints{1, 1025}},
                                                       {"pads", Ints{-1, 0, 0, 0}},
                                                       {"activation", std::string("wish")},
                                                       {"layout", std::string("nwhc")},
                                                       {"output_layout", std::string("")},
                                                       {"output_type", std::string("int64")},
                                                       {"product", std::string("fast")},
                                                       {"activation", std::string("relu; mul x1 2")}};
  for (const auto& [name, value] : bad) {
    const ir::Node node = changed(conv_node(), name, value);
    EXPECT_THROW(ConvAttributes::of(node), Error) << name;
  }
}

TEST(FusedAttributes, PartsOfAPairHaveTheirOwnActivations) {
  const ir::Node node = node_with({{"out_channels", int64_t{16}},
                                   {"kernel_shape", Ints{3, 3}},
                                   {"depthwise_activation", "swish"},
                                   {"expand_activation", "relu"},
                                   {"activation", "relu6"}});
  const auto pair = DepthwisePointwiseAttributes::of(node);
  EXPECT_EQ(pair.depthwise_activation.activation, activation_of(node, "depthwise_activation"));
  EXPECT_EQ(pair.activation.activation, activation_of(node));
  EXPECT_EQ(pair.window.taps(), 9);
  const auto expand = ExpandDepthwiseAttributes::of(node);
  EXPECT_EQ(expand.expand_activation, activation_of(node, "expand_activation"));
  EXPECT_EQ(expand.out_channels, 16);
  EXPECT_THROW(ExpandDepthwiseAttributes::of(changed(node, "activation", "relu; add x0 1")), Error) << "no steps";
}

TEST(FusedAttributes, OneLayoutWhereTheOperatorKeepsIt) {
  const ir::Node node = node_with({{"layout", "nhwc"}, {"weights", std::vector<float>{1, 2}}, {"size", Ints{4, 6}}});
  EXPECT_EQ(DepthwiseConvAttributes::of(node).layout, Layout::kNhwc);
  EXPECT_EQ(MaxPoolAttributes::of(node).layout, Layout::kNhwc);
  EXPECT_EQ(AveragePoolAttributes::of(node).layout, Layout::kNhwc);
  EXPECT_EQ(ConvTransposeAttributes::of(node).width, 6);
  EXPECT_EQ(MixAttributes::of(node).height, 4);
  const ir::Node two = changed(node, "output_layout", "nchw");
  EXPECT_THROW(DepthwiseConvAttributes::of(two), Error);
  EXPECT_THROW(MaxPoolAttributes::of(two), Error);
  EXPECT_THROW(AveragePoolAttributes::of(two), Error);
  EXPECT_THROW(ConvTransposeAttributes::of(two), Error);
  EXPECT_THROW(MixAttributes::of(two), Error);
  EXPECT_THROW(MixAttributes::of(node_with({})), Error) << "no weights";
}

TEST(FusedAttributes, SqueezeExciteHasStepsAfterItsGateAlone) {
  const ir::Node node = node_with({{"activation", "relu"}, {"gate_activation", "sigmoid; mul x0 2"}});
  EXPECT_EQ(SqueezeExciteAttributes::of(node).gate_activation.steps.size(), 1u);
  EXPECT_THROW(SqueezeExciteAttributes::of(changed(node, "activation", "relu; mul x0 2")), Error);
}

TEST(FusedAttributes, TopCandidatesFitTheirMaps) {
  const auto inferred = [](Attributes attributes, const std::vector<Shape>& maps) {
    ir::Node node = node_with(std::move(attributes));
    node.op = "TopCandidates";
    node.inputs.clear();
    std::vector<InputInfo> inputs;
    for (const Shape& map : maps) {
      node.inputs.push_back(static_cast<ir::ValueId>(inputs.size()));
      inputs.push_back({.present = true, .dtype = DType::kF32, .shape = map});
    }
    return infer_node(node, 11, inputs).at(0).shape;
  };
  const Attributes good{{"count", int64_t{9}}, {"classes", int64_t{5}}};
  EXPECT_EQ(inferred(good, {{2, 15, 4, 4}, {2, 15, 2, 2}, {2, 12, 4, 4}, {2, 12, 2, 2}}), (Shape{2, 9, 7}));
  const std::vector<Shape> bad[] = {{{2, 15, 4, 4}, {2, 12, 4, 4}, {2, 12, 2, 2}},
                                    {{2, 14, 4, 4}, {2, 12, 4, 4}},
                                    {{2, 15, 4, 4}, {2, 12, 4, 5}},
                                    {{2, 15, 4, 4}, {1, 12, 4, 4}},
                                    {{1, 15, 1 << 22, 4}, {1, 12, 1 << 22, 4}},
                                    {{1, 15, 1 << 24, 1 << 24}, {1, 12, 1 << 24, 1 << 24}}};
  for (const std::vector<Shape>& maps : bad) EXPECT_THROW(inferred(good, maps), Error);
  for (const char* name : {"count", "classes"})
    for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
      Attributes other = good;
      other[name] = value;
      EXPECT_THROW(inferred(other, {{2, 15, 4, 4}, {2, 12, 4, 4}}), Error) << name << value;
    }
}

TEST(FusedAttributes, LayoutsAreWrittenAsTheyAreRead) {
  for (const MapLayouts layouts :
       {MapLayouts{Layout::kPlain, Layout::kPlain}, MapLayouts{Layout::kPlain, Layout::kNhwc},
        MapLayouts{Layout::kNhwc, Layout::kPlain}, MapLayouts{Layout::kNhwc, Layout::kNhwc}}) {
    ir::Node node = node_with({});
    set_layouts(node, layouts);
    EXPECT_EQ(MapLayouts::of(node).input, layouts.input);
    EXPECT_EQ(MapLayouts::of(node).output, layouts.output);
  }
}

}  // namespace
}  // namespace effdet::ops
