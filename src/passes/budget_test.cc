// Graphs of few bytes whose constants would fill gigabytes: what stays in memory, and what a file would hold.
#include "passes/budget.h"

#include "base/memory.h"
#include "passes/pipeline.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

constexpr int64_t kMebibyte = 1 << 18;  // floats
constexpr int64_t kMost = 8 << 20;
constexpr uint64_t kWeights = kMebibyte * sizeof(float);
constexpr int kReaders = 12;

/// A graph with an input that `constants` are added to, so that they are read.
struct Bomb {
  ir::Graph graph;
  ir::ValueId x = graph.add_input("x", DType::kF32, {1});

  ir::ValueId number(const std::string& name, float value) { return graph.add_constant(name, floats({}, {value})); }
  ir::ValueId list(const std::string& name, const List& values) { return graph.add_constant(name, ints(values)); }
  /// Many sums of one large value with a number each.
  void let_many_read(ir::ValueId large) {
    std::vector<ir::ValueId> terms{x};
    for (int i = 0; i < kReaders; ++i) {
      const std::string name = "sum" + std::to_string(i);
      terms.push_back(graph.add_node("Add", name, {large, number(name + ".k", static_cast<float>(i))}));
    }
    graph.outputs = {graph.add_node("Sum", "y", terms)};
  }
};

/// What simplify() does with it, with room for kMost: the most bytes of tensors at a time, and the constants that a
/// file would hold.
struct Growth {
  uint64_t peak;
  int64_t held;  ///< beyond those of before
};
Growth growth_of(ir::Graph graph) {
  const MemoryBudget memory(uint64_t{1} << 31);  // of this process
  const auto before = static_cast<int64_t>(constant_bytes(graph));
  RewriteBudget budget(graph, kMost);
  simplify(graph, {}, budget);
  return {memory.peak(), static_cast<int64_t>(constant_bytes(graph)) - before};
}

using Make = ir::ValueId (*)(Bomb&);

/// One mebibyte out of a few bytes, by each operator that can.
const std::map<std::string, Make> kLargeValues = {
    {"Expand",
     [](Bomb& b) {
       return b.graph.add_node("Expand", "large", {b.number("one", 1), b.list("shape", {kMebibyte})});
     }},
    {"Tile",
     [](Bomb& b) {
       return b.graph.add_node("Tile", "large",
                               {b.graph.add_constant("one", floats({1}, {1})), b.list("n", {kMebibyte})});
     }},
    {"ConstantOfShape",
     [](Bomb& b) { return b.graph.add_node("ConstantOfShape", "large", {b.list("shape", {kMebibyte})}); }},
    {"Range",
     [](Bomb& b) {
       return b.graph.add_node(
           "Range", "large", {b.number("from", 0), b.number("to", static_cast<float>(kMebibyte)), b.number("step", 1)});
     }},
    {"Pad",
     [](Bomb& b) {
       return b.graph.add_node("Pad", "large",
                               {b.graph.add_constant("one", floats({1}, {1})), b.list("n", {0, kMebibyte - 1})});
     }},
    {"Resize",
     [](Bomb& b) {
       return b.graph.add_node("Resize", "large",
                               {b.graph.add_constant("one", floats({1, 1, 1, 1}, {1})), ir::kNoValue, ir::kNoValue,
                                b.list("sizes", {1, 1, 512, 512})});
     }},
    {"OneHot",
     [](Bomb& b) {
       return b.graph.add_node("OneHot", "large",
                               {b.list("indices", List(512, 3)), b.list("depth", {512}),
                                b.graph.add_constant("values", floats({2}, {0, 1}))});
     }},
    {"Gather",
     [](Bomb& b) {
       return b.graph.add_node("Gather", "large",
                               {b.graph.add_constant("rows", waves({2, 512})), b.list("which", List(512, 1))});
     }},
    {"Mul",
     [](Bomb& b) {
       return b.graph.add_node(
           "Mul", "large",
           {b.graph.add_constant("row", waves({1, 512})), b.graph.add_constant("column", waves({512, 1}))});
     }},
    {"Where",
     [](Bomb& b) {
       const Tensor condition(DType::kBool, {512, 1});
       return b.graph.add_node("Where", "large",
                               {b.graph.add_constant("condition", condition),
                                b.graph.add_constant("row", waves({1, 512})), b.number("other", 1)});
     }},
    {"ConcatOfItself",
     [](Bomb& b) {
       ir::ValueId value = b.graph.add_constant("one", floats({1}, {1}));
       for (int64_t size = 1; size < kMebibyte; size *= 2)
         value = b.graph.add_node("Concat", "double" + std::to_string(size), {value, value}, {{"axis", int64_t{0}}});
       return value;
     }},
};

TEST(RewriteBudget, ManyReadersOfALargeConstant) {
  for (const auto& [op, make] : kLargeValues) {
    Bomb bomb;
    bomb.let_many_read(make(bomb));
    const Growth growth = growth_of(bomb.graph);
    EXPECT_LE(growth.held, kMost) << op;
    EXPECT_GT(growth.held, kMost / 2) << op << ": it folds as far as it may";
    EXPECT_LE(growth.peak, 2 * kMost) << op;
  }
}

TEST(RewriteBudget, OneForAllRounds) {
  Bomb bomb;
  std::vector<ir::ValueId> terms{bomb.x};
  const auto large = kLargeValues.at("Expand")(bomb);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "sum" + std::to_string(i);
    terms.push_back(bomb.graph.add_node("Add", name, {large, bomb.number(name + ".k", static_cast<float>(i))}));
  }
  bomb.graph.outputs = {bomb.graph.add_node("Sum", "y", terms)};
  const uint64_t before = constant_bytes(bomb.graph);
  simplify(bomb.graph);
  EXPECT_LE(constant_bytes(bomb.graph), before + kMostGrowth);
  EXPECT_GT(constant_bytes(bomb.graph), before + kMostGrowth / 2);
}

TEST(RewriteBudget, ChainsKeepOneLinkInMemory) {
  Bomb bomb;
  ir::ValueId value = kLargeValues.at("Expand")(bomb);
  for (int i = 0; i < 100; ++i) value = bomb.graph.add_node("Neg", "neg" + std::to_string(i), {value});
  const auto sum = bomb.graph.add_node("ReduceSum", "sum", {value}, {{"keepdims", int64_t{0}}});
  bomb.graph.outputs = {bomb.graph.add_node("Add", "y", {bomb.x, sum})};
  const Growth growth = growth_of(bomb.graph);
  EXPECT_LE(growth.held, 16);
  EXPECT_LE(growth.peak, 4 * kWeights);
}

TEST(RewriteBudget, DoublingStopsWhereItGrows) {
  Bomb bomb;
  ir::ValueId value = bomb.graph.add_constant("one", floats({1}, {1}));
  for (int i = 0; i < 30; ++i)
    value = bomb.graph.add_node("Concat", "double" + std::to_string(i), {value, value}, {{"axis", int64_t{0}}});
  const auto sum = bomb.graph.add_node("ReduceSum", "sum", {value}, {{"keepdims", int64_t{0}}});
  bomb.graph.outputs = {bomb.graph.add_node("Add", "y", {bomb.x, sum})};
  EXPECT_LE(growth_of(bomb.graph).peak, 8 * kWeights);
}

/// One constant may be read by nodes that fold and by one that does not: it stays, and each result is an addition.
TEST(RewriteBudget, AConstantThatStaysIsNotGivenBack) {
  Bomb bomb;
  const auto large = bomb.graph.add_constant("large", waves({kMebibyte}));
  bomb.let_many_read(large);
  bomb.graph.outputs.push_back(bomb.graph.add_node("Mul", "z", {large, bomb.x}));
  const Growth growth = growth_of(bomb.graph);
  EXPECT_LE(growth.held, kMost);
}

/// An exporter's Constant node: its tensor is there already.
TEST(RewriteBudget, AConstantNodeAddsNothing) {
  Bomb bomb;
  const auto large = bomb.graph.add_node("Constant", "large", {}, {{"value", waves({2 * kMebibyte})}});
  bomb.graph.outputs = {bomb.graph.add_node("Mul", "y", {large, bomb.x})};
  simplify(bomb.graph);
  EXPECT_EQ(lines(bomb.graph), "y_output_0 = Mul(large_output_0, x)\n");
}

TEST(RewriteBudget, KernelsThatWidenAreNotRunOnLargeConstants) {
  Bomb bomb;  // 16 MB, and eight times that for the arithmetic
  const auto large = bomb.graph.add_constant("large", Tensor(DType::kU8, {1 << 24}));
  const auto sum = bomb.graph.add_node("Add", "sum", {large, large});
  const auto most =
      bomb.graph.add_node("ReduceMax", "most", {bomb.graph.add_node("Cast", "cast", {sum}, {{"to", int64_t{1}}})},
                          {{"keepdims", int64_t{0}}});
  bomb.graph.outputs = {bomb.graph.add_node("Add", "y", {bomb.x, most})};
  EXPECT_LE(growth_of(bomb.graph).peak, uint64_t{64} << 20);
}

TEST(RewriteBudget, CopiesOfWeightsThatManyConvolutionsShare) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1, 512, 1, 1});
  const auto weights = graph.add_constant("w", waves({512, 512, 1, 1}));
  std::vector<ir::ValueId> terms;
  for (int i = 0; i < kReaders; ++i) {
    const std::string name = "conv" + std::to_string(i);
    const auto factor = graph.add_constant(name + ".k", floats({1}, {static_cast<float>(i) + 2}));
    const auto own = graph.add_node("Add", name + ".x", {x, factor});  // else they were one Conv
    terms.push_back(graph.add_node("Mul", name + ".mul", {graph.add_node("Conv", name, {own, weights}), factor}));
  }
  graph.outputs = {graph.add_node("Sum", "y", terms)};
  const Growth growth = growth_of(graph);
  EXPECT_LE(growth.held, kMost);
  EXPECT_GT(growth.held, kMost / 2);
  EXPECT_LE(growth.peak, 2 * kMost);
}

/// Shape arithmetic keeps small tensors, and a hostile graph has many.
TEST(RewriteBudget, ShapeArithmeticKeepsLittle) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1});
  const auto one = graph.add_constant("one", ints({1})), size = graph.add_constant("size", ints({64}));
  std::vector<ir::ValueId> lists;
  for (int i = 0; i < 60000; ++i)
    lists.push_back(graph.add_node("Expand", "e" + std::to_string(i), {one, size}));  // 60000 lists are 31 MB
  graph.outputs = {graph.add_node("Max", "m", lists), x};
  const MemoryBudget memory(uint64_t{1} << 31);
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  EXPECT_LE(memory.peak(), uint64_t{24} << 20);
}

/// An einsum of a few numbers may take hours.
TEST(RewriteBudget, ShapeArithmeticLeavesProductsAlone) {
  ir::Graph graph;
  graph.opset = 13;
  const auto row = graph.add_constant("row", waves({64}));
  graph.outputs = {
      graph.add_node("Einsum", "y", std::vector<ir::ValueId>(6, row), {{"equation", std::string("a,b,c,d,e,f->")}})};
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  EXPECT_TRUE(known.whole.empty());
}

TEST(CompareWhole, StaysWithinItsMemory) {
  ir::Graph graph;  // 400 MB at a time, of 4 bytes
  const auto x = graph.add_input("x", DType::kF32, {1});
  const auto large = graph.add_node("Expand", "large", {x, graph.add_constant("shape", ints({100'000'000}))});
  graph.outputs = {graph.add_node("ReduceSum", "y", {large}, {{"keepdims", int64_t{0}}})};
  const MemoryBudget memory(uint64_t{1} << 31);
  try {
    compare_whole(graph, graph, {.memory_limit = uint64_t{64} << 20});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
    EXPECT_NE(std::string(error.what()).find("'large'"), std::string::npos) << error.what();
  }
  EXPECT_LE(memory.peak(), uint64_t{64} << 20);
}

/// Many tensors, each of which would fit.
TEST(CompareWhole, CountsWhatIsAliveTogether) {
  ir::Graph graph;
  const auto x = graph.add_input("x", DType::kF32, {1});
  const auto shape = graph.add_constant("shape", ints({kMebibyte}));
  std::vector<ir::ValueId> terms;
  for (int i = 0; i < 100; ++i) terms.push_back(graph.add_node("Expand", "e" + std::to_string(i), {x, shape}));
  graph.outputs = {graph.add_node("Sum", "y", terms)};
  EXPECT_THROW(compare_whole(graph, graph, {.memory_limit = uint64_t{64} << 20}), Error);
  EXPECT_EQ(compare_whole(graph, graph, {.memory_limit = uint64_t{128} << 20}).difference, 0);
}

}  // namespace
}  // namespace effdet::passes
