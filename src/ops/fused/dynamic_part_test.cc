// A part of a graph as attributes, and what it gives.
#include "ops/fused/dynamic_part.h"

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

/// Columns 1 and 2 of the rows whose score is above 0.
ir::Graph rows_above_zero() {
  ir::Graph part;
  const auto rows = part.add_input("rows", DType::kF32, {4, 3}), scores = part.add_input("scores", DType::kF32, {4});
  const auto zero = part.add_input("zero", DType::kF32, {}), columns = part.add_input("columns", DType::kI64, {2});
  const auto at = part.add_node("NonZero", "at", {part.add_node("Greater", "above", {scores, zero})});
  const auto places = part.add_node("Transpose", "places", {at}, {{"perm", List{1, 0}}});
  const auto chosen = part.add_node("GatherND", "chosen", {rows, places});
  part.outputs = {part.add_node("Gather", "some", {chosen, columns}, {{"axis", int64_t{1}}})};
  return part;
}

ir::Node node_of(const ir::Graph& part, const Shape& limit) {
  return {"DynamicPart", std::string(ir::kFusedDomain),
          "part",        {0, 1, 2, 3},
          {4},           dynamic_part_attributes(part, {&limit, 1})};
}

std::vector<Tensor> evaluate(const ir::Node& node, const std::vector<float>& scores) {
  const Tensor inputs[] = {counting({4, 3}), list(scores), floats({}, {0}), ints({1, 2})};
  const Tensor* pointers[] = {&inputs[0], &inputs[1], &inputs[2], &inputs[3]};
  return evaluate_node(node, 13, pointers);
}

TEST(DynamicPart, IsReadAsItWasWritten) {
  const ir::Graph part = rows_above_zero(), read = dynamic_part_of(node_of(part, {4, 2}), 13);
  ASSERT_EQ(read.nodes.size(), part.nodes.size());
  for (size_t i = 0; i < part.nodes.size(); ++i) {
    EXPECT_EQ(read.nodes[i].op, part.nodes[i].op);
    EXPECT_EQ(read.nodes[i].name, part.nodes[i].name);
    EXPECT_EQ(read.nodes[i].inputs, part.nodes[i].inputs);
    EXPECT_EQ(read.nodes[i].outputs, part.nodes[i].outputs);
    EXPECT_EQ(read.nodes[i].attributes.size(), part.nodes[i].attributes.size());
  }
  EXPECT_EQ(read.outputs, part.outputs);
}

TEST(DynamicPart, FillsUpWithZerosBehindEachDimension) {
  const ir::Graph part = rows_above_zero();
  EXPECT_EQ(values(evaluate(node_of(part, {4, 2}), {1, -1, 0, 2})[0]), (Floats{1, 2, 10, 11, 0, 0, 0, 0}));
  EXPECT_EQ(values(evaluate(node_of(part, {3, 3}), {1, -1, 0, 2})[0]), (Floats{1, 2, 0, 10, 11, 0, 0, 0, 0}));
  EXPECT_EQ(values(evaluate(node_of(part, {4, 2}), {1, 1, 1, 1})[0]), (Floats{1, 2, 4, 5, 7, 8, 10, 11}));
  EXPECT_EQ(values(evaluate(node_of(part, {2, 2}), {-1, -1, -1, -1})[0]), (Floats{0, 0, 0, 0}));
}

TEST(DynamicPart, ColumnsThatAreNotTogether) {
  ir::Graph part;
  const auto x = part.add_input("x", DType::kF32, {4, 3});
  const auto y = part.add_input("y", DType::kF32, {4}), z = part.add_input("z", DType::kF32, {}),
             w = part.add_input("w", DType::kI64, {2});
  part.outputs = {part.add_node("Identity", "same", {y})};
  (void)x, (void)z, (void)w;
  const Shape limit{4};
  EXPECT_EQ(values(evaluate(node_of(part, limit), {1, 2, 3, 4})[0]), (Floats{1, 2, 3, 4}));
  part.outputs = {part.add_node("Unsqueeze", "column", {y, w})};
  EXPECT_THROW(evaluate(node_of(part, {4, 2}), {1, 2, 3, 4}), Error) << "another rank";
}

TEST(DynamicPart, RefusesMoreThanTheLimit) {
  const ir::Node node = node_of(rows_above_zero(), {1, 2});
  EXPECT_EQ(values(evaluate(node, {-1, 5, -1, -1})[0]), (Floats{4, 5}));
  try {
    evaluate(node, {1, 1, -1, -1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("has room for float32 of 1x2"), std::string::npos) << error.what();
  }
}

TEST(BadInput, Case59_DynamicPartsThatSayNone) {
  const ir::Node good = node_of(rows_above_zero(), {4, 2});
  const auto refuses = [&](const std::string& name, ir::Attribute value) {
    ir::Node node = good;
    node.attributes[name] = std::move(value);
    EXPECT_THROW(evaluate(node, {1, 1, 1, 1}), Error) << name;
    node.attributes.erase(name);
    EXPECT_THROW(evaluate(node, {1, 1, 1, 1}), Error) << "without " << name;
  };
  using Texts = std::vector<std::string>;
  refuses("operators", Texts{});
  refuses("operators", Texts{"Greater", "NonZero", "Transpose", "GatherND", "DynamicPart"});
  refuses("operators", Texts{"Greater", "NonZero", "Transpose", "GatherND", "Loop"});
  refuses("names", Texts{"one"});
  refuses("names", int64_t{1});
  for (const List& lists : {List{}, List{-1}, List{9}, List{std::numeric_limits<int64_t>::max(), 1},
                            List{2, 1, 9, 1, 4, 1, 5, 2, 0, 6, 2, 7, 3}, List{2, 1, 2, 1, 4, 1, 5, 2, 0, 6, 2, 7, 3, 0},
                            List{2, 1, -2, 1, 4, 1, 5, 2, 0, 6, 2, 7, 3}})
    refuses("inputs", lists);
  for (const List& lists :
       {List{1, 4, 1, 4, 1, 6, 1, 7, 1, 8}, List{1, 0, 1, 5, 1, 6, 1, 7, 1, 8}, List{0, 0, 0, 0, 0}})
    refuses("outputs", lists);
  for (const List& list : {List{}, List{9}, List{-1}, List{8, 8}}) refuses("results", list);
  for (const List& list : {List{}, List{2, 4}, List{2, -4, 2}, List{1, 4}, List{2, 4, 2, 2, 4, 2},
                           List{2, int64_t{1} << 40, int64_t{1} << 40}})
    refuses("limits", list);
}

}  // namespace
}  // namespace effdet::ops
