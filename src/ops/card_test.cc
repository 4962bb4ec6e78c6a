// Cards: that every operator has one, that what they say fits together, and what follows from them.
#include <gtest/gtest.h>

#include "ops/cost.h"
#include "ops/op.h"

namespace effdet::ops {
namespace {

std::string label(const Operator& op) { return fmt::format("{}::{}", op.domain, op.type); }

TEST(Card, EveryOperatorHasOne) {
  for (const Operator& op : all_operators()) EXPECT_NE(op.card.batch, Batch::kUnset) << label(op);
}

TEST(Card, NoOperatorIsThereTwice) {
  for (const Operator& op : all_operators()) EXPECT_EQ(find_operator(op.domain, op.type), &op) << label(op);
}

TEST(Card, WhatItSaysFitsTogether) {
  for (const Operator& op : all_operators()) {
    const Card& card = op.card;
    EXPECT_LE(card.slots.size(), static_cast<size_t>(op.max_inputs)) << label(op);
    const bool has_maps = card.find_slot(Slot::kMap) || card.find_slot(Slot::kAnyMap);
    EXPECT_EQ(has_maps, !card.map_types.empty()) << label(op) << ": maps and their types";
    EXPECT_TRUE(!has_maps || card.takes(DType::kF32)) << label(op) << ": what no compiler pass has changed";
    const bool has_layout = card.layout == LayoutRule::kAttributes;
    EXPECT_TRUE(!has_layout || card.slot(0) == Slot::kMap) << label(op);
    EXPECT_TRUE(has_layout || (card.reads_plain == nullptr && card.writes_plain == nullptr)) << label(op);
    EXPECT_TRUE(card.keeps_batch == nullptr || card.batch != Batch::kMixes) << label(op) << ": a condition of nothing";
    EXPECT_TRUE(has_maps || !card.find_slot(Slot::kPackedWeights)) << label(op) << ": packed for the type of no map";
    const bool is_fused = op.domain == ir::kFusedDomain;
    EXPECT_TRUE(!is_fused || card.heavy) << label(op);
    EXPECT_TRUE(is_fused || card.absorbs == Absorbs::kNothing) << label(op);
  }
}

TEST(Card, TheLastSlotStandsForFurtherInputs) {
  const Card& mix = find_operator(ir::kFusedDomain, "Mix")->card;
  EXPECT_EQ(mix.slot(0), Slot::kMap);
  EXPECT_EQ(mix.slot(3), Slot::kMap);
  const Card& conv = find_operator(ir::kFusedDomain, "Conv")->card;
  EXPECT_EQ(conv.slot(4), Slot::kGate);
  EXPECT_EQ(conv.find_slot(Slot::kResidual), size_t{3});
  EXPECT_EQ(conv.find_slot(Slot::kScale), size_t{5});
  EXPECT_EQ(conv.find_slot(Slot::kZeroPoint), std::nullopt);
  EXPECT_EQ(find_operator("", "Conv")->card.slot(0), Slot::kOther);
}

TEST(Card, AnUnknownOperatorSaysNothing) {
  const Card& card = card_of({"Nothing", "somewhere", "n", {}, {}, {}});
  EXPECT_EQ(card.batch, Batch::kUnset);
  EXPECT_FALSE(card.heavy);
}

TEST(Card, ElementTypesOfSlots) {
  const DType maps = DType::kBF16, output = DType::kF32;
  for (const Slot slot : {Slot::kMap, Slot::kPackedWeights, Slot::kZeroPoint})
    EXPECT_EQ(type_in_slot(slot, maps, output), maps);
  EXPECT_EQ(type_in_slot(Slot::kResidual, maps, output), output);
  for (const Slot slot : {Slot::kBias, Slot::kGate, Slot::kWeights, Slot::kScale})
    EXPECT_EQ(type_in_slot(slot, maps, output), DType::kF32);
  for (const Slot slot : {Slot::kAnyMap, Slot::kOther}) EXPECT_EQ(type_in_slot(slot, maps, output), std::nullopt);
}

/// The layouts of a node's first output, where its inputs are maps that lie so.
std::optional<Layout> output_layout(const ir::Node& node, const std::vector<Layout>& layouts) {
  std::vector<InputInfo> inputs;
  for (const Layout layout : layouts)
    inputs.push_back({.present = true, .dtype = DType::kF32, .shape = Shape{1, 2, 2, 8}, .layout = layout});
  return infer_node(node, 13, inputs).at(0).layout;
}

TEST(Card, LayoutOfWhatANodeMakes) {
  const ir::Node concat{"Concat", "", "n", {0, 1}, {2}, {{"axis", int64_t{1}}}};
  EXPECT_EQ(output_layout(concat, {Layout::kPlain, Layout::kPlain}), Layout::kPlain);
  EXPECT_EQ(output_layout(concat, {Layout::kNhwc, Layout::kNhwc}), Layout::kNhwc);
  const ir::Node flatten{"Flatten", "", "n", {0}, {1}, {}};
  EXPECT_EQ(output_layout(flatten, {Layout::kNhwc}), Layout::kPlain);
  const ir::Node transpose{"Transpose", "", "n", {0}, {1}, {}};
  EXPECT_EQ(output_layout(transpose, {Layout::kNhwc}), std::nullopt) << "lies as it is declared";
  for (const auto& [name, layout] : {std::pair{"nchw", Layout::kPlain}, std::pair{"nhwc", Layout::kNhwc}}) {
    const ir::Node pool{"MaxPool", std::string(ir::kFusedDomain), "n", {0}, {1}, {{"layout", std::string(name)}}};
    EXPECT_EQ(output_layout(pool, {layout}), layout);
  }
}

}  // namespace
}  // namespace effdet::ops
