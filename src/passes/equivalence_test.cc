// The check of a simplified graph: it accepts what computes the same, finds every kind of wrong rewrite, and tells how.
#include "passes/equivalence.h"

#include <algorithm>
#include <functional>

#include "passes/pipeline.h"
#include "passes/test_util.h"

namespace effdet::passes {
namespace {

using Whole = ModelCheck::Whole;

/// What PyTorch's exporter makes of a piece of EfficientDet: padding as a node of its own, batch norms, sizes of a
/// Resize put together from a shape and baked numbers, and a weighted sum of a stack of two levels.
class Export {
 public:
  explicit Export(int64_t side) : x_(graph_.add_input("x", DType::kF32, {1, 3, side, side})) {
    const auto padded = graph_.add_node(
        "Pad", "pad", {x_, list("pads", {0, 0, 0, 0, 0, 0, 1, 1}), graph_.add_constant("zero", Tensor::scalar(0.0f))});
    const auto stem = norm("stem.bn", graph_.add_node("Conv", "stem", {padded, weights("stem.w", {8, 3, 3, 3})},
                                                      {{"strides", List{2, 2}}, {"kernel_shape", List{3, 3}}}));
    const auto swish = graph_.add_node("Mul", "swish", {stem, graph_.add_node("Sigmoid", "sigmoid", {stem})});
    const auto conv = graph_.add_node("Conv", "conv", {swish, weights("w", {8, 8, 1, 1})});
    const auto scaled = graph_.add_node("Mul", "scaled", {conv, weights("gain", {1, 8, 1, 1})});
    const auto relu = graph_.add_node("Relu", "relu", {scaled});
    const auto bordered = graph_.add_node("Pad", "border", {relu, list("border.pads", {0, 0, 0, 0, 0, 0, 1, 1})});
    const auto pool = graph_.add_node("MaxPool", "pool", {graph_.add_node("Identity", "nothing", {bordered})},
                                      {{"kernel_shape", List{3, 3}}, {"strides", List{2, 2}}});
    graph_.outputs = {sum(relu, resized(pool, side / 2)), pool};
  }

  ir::Graph take() { return std::move(graph_); }

 private:
  ir::ValueId list(const char* name, const List& values) { return graph_.add_constant(name, ints(values)); }
  ir::ValueId weights(const std::string& name, Shape shape) {
    return graph_.add_constant(name, waves(std::move(shape), phase_ += 0.3f));
  }

  ir::ValueId norm(const std::string& name, ir::ValueId x) {
    std::vector<ir::ValueId> inputs{x};
    for (const char* part : {".gamma", ".beta", ".mean"}) inputs.push_back(weights(name + part, {8}));
    inputs.push_back(graph_.add_constant(name + ".variance", floats({8}, {1, 2, 3, 4, 5, 6, 7, 8})));
    return graph_.add_node("BatchNormalization", name, inputs, {{"epsilon", 1e-3f}});
  }

  ir::ValueId resized(ir::ValueId x, int64_t side) {
    const auto shape = graph_.add_node("Shape", "shape", {x});
    const auto first =
        graph_.add_node("Slice", "first", {shape, list("from", {0}), list("to", {2}), list("axis", {0})});
    const auto sizes = graph_.add_node("Concat", "sizes", {first, list("baked", {side, side})}, {{"axis", int64_t{0}}});
    return graph_.add_node("Resize", "up", {x, ir::kNoValue, ir::kNoValue, sizes},
                           {{"mode", std::string("nearest")}, {"nearest_mode", std::string("floor")}});
  }

  ir::ValueId sum(ir::ValueId a, ir::ValueId b) {
    std::vector<ir::ValueId> terms;
    for (const auto& [level, weight] : {std::pair{a, 0.25f}, std::pair{b, 0.75f}}) {
      const std::string name = "level" + std::to_string(terms.size());
      const auto positive =
          graph_.add_node("Relu", name + ".relu", {graph_.add_constant(name + ".weight", floats({}, {weight}))});
      const auto times = graph_.add_node("Mul", name + ".times", {level, positive});
      const auto over =
          graph_.add_node("Div", name + ".over", {times, graph_.add_constant(name + ".sum", floats({}, {1.5f}))});
      terms.push_back(graph_.add_node("Unsqueeze", name + ".up", {over}, {{"axes", List{4}}}));
    }
    const auto stack = graph_.add_node("Concat", "stack", terms, {{"axis", int64_t{4}}});
    return graph_.add_node("ReduceSum", "sum", {stack}, {{"axes", List{4}}, {"keepdims", int64_t{0}}});
  }

  ir::Graph graph_;
  ir::ValueId x_;
  float phase_ = 0;
};

ir::Graph simplified(ir::Graph graph) {
  simplify(graph);
  return graph;
}

ModelCheck check(const ir::Graph& a, const ir::Graph& b) { return check_equivalence(a, b, {.seed = 5}); }

TEST(CheckEquivalence, ComparesPartsOfALargeImage) {
  const ir::Graph before = Export(1536).take(), after = simplified(before);
  EXPECT_EQ(lines(after),
            "stem.bn_output_0 = Conv(x, stem.w, stem.folded_bias)\n"
            "sigmoid_output_0 = Sigmoid(stem.bn_output_0)\n"
            "swish_output_0 = Mul(stem.bn_output_0, sigmoid_output_0)\n"
            "scaled_output_0 = Conv(swish_output_0, w, conv.folded_bias)\n"
            "relu_output_0 = Relu(scaled_output_0)\n"
            "pool_output_0 = MaxPool(relu_output_0)\n"
            "up_output_0 = Resize(pool_output_0, _, _, sizes_output_0)\n"
            "level0.over_output_0 = Mul(relu_output_0, level0.over.factor)\n"
            "level1.over_output_0 = Mul(up_output_0, level1.over.factor)\n"
            "sum_output_0 = Add(level0.over_output_0, level1.over_output_0)\n");
  const ModelCheck report = check(before, after);
  EXPECT_TRUE(report.same);
  EXPECT_LT(report.difference, 1e-5);
  EXPECT_EQ(report.whole, Whole::kNot);  // 1536 x 1536 from end to end would take a minute of a real network
  EXPECT_EQ(report.nodes, after.nodes.size());
  EXPECT_EQ(report.unchanged, 4u);  // sigmoid, swish, relu, up
  EXPECT_EQ(report.parts, 6u);
  EXPECT_EQ(report.reduced, 6u);
  EXPECT_LT(compare_whole(before, after, {}).difference, 1e-5);
  EXPECT_TRUE(compare_whole(before, after, {}).reduced);  // the baked sizes along with it
}

TEST(CheckEquivalence, CertainWithoutARun) {
  const ir::Graph graph = Export(1536).take();
  const ModelCheck report = check(graph, graph);
  EXPECT_TRUE(report.same);
  EXPECT_EQ(report.parts, 0u);
  EXPECT_EQ(report.difference, 0);
}

ir::Node& maker_of(ir::Graph& graph, std::string_view value) {
  for (ir::Node& node : graph.nodes)
    if (graph.value(node.outputs[0]).name == value) return node;
  throw std::runtime_error(std::string(value));
}

void change_constant(ir::Graph& graph, std::string_view name, int64_t place, float by) {
  ir::Value& value = graph.value(graph.find_value(name));
  Tensor copy(DType::kF32, value.constant->shape());
  std::ranges::copy(value.constant->data<float>(), copy.mutable_data<float>().begin());
  copy.mutable_data<float>()[static_cast<size_t>(place)] += by;
  value.constant = copy;
}

/// A rewrite that went wrong, after one that went right.
struct Wrong {
  const char* kind;
  std::function<void(ir::Graph&)> spoil;
};

const std::vector<Wrong>& wrong_rewrites() {
  static const std::vector<Wrong> list{
      {"fold_constants", [](ir::Graph& g) { change_constant(g, "level1.over.factor", 0, 0.01f); }},
      {"fold_constants: a shape",
       [](ir::Graph& g) {
         g.value(g.find_value("sizes_output_0")).constant = ints({1, 8, 384, 768});
       }},
      {"fold_batch_norm: a weight", [](ir::Graph& g) { change_constant(g, "stem.w", 40, 0.05f); }},
      {"fold_batch_norm: a bias", [](ir::Graph& g) { change_constant(g, "stem.folded_bias", 3, 0.01f); }},
      {"fold_batch_norm: no bias", [](ir::Graph& g) { maker_of(g, "stem.bn_output_0").inputs.pop_back(); }},
      {"fold_affine", [](ir::Graph& g) { change_constant(g, "w", 63, 0.02f); }},
      {"fold_pad: the other side",
       [](ir::Graph& g) {
         maker_of(g, "stem.bn_output_0").attributes["pads"] = List{1, 1, 0, 0};
       }},
      {"fold_pad: into a pool",
       [](ir::Graph& g) {
         maker_of(g, "pool_output_0").attributes["pads"] = List{1, 1, 0, 0};
       }},
      {"eliminate_identity: a Relu",
       [](ir::Graph& g) {
         for (ir::Node& node : g.nodes)
           std::ranges::replace(node.inputs, g.find_value("relu_output_0"), g.find_value("scaled_output_0"));
       }},
      {"merge_equal_nodes",
       [](ir::Graph& g) { maker_of(g, "swish_output_0").inputs[1] = g.find_value("stem.bn_output_0"); }},
      {"merge_equal_constants",
       [](ir::Graph& g) { maker_of(g, "level0.over_output_0").inputs[1] = g.find_value("level1.over.factor"); }},
      {"stack_to_sum",
       [](ir::Graph& g) { maker_of(g, "sum_output_0").inputs[1] = g.find_value("level0.over_output_0"); }},
      {"merge_scales", [](ir::Graph& g) { change_constant(g, "level0.over.factor", 0, -0.005f); }},
      {"sizes_to_scales",
       [](ir::Graph& g) { maker_of(g, "up_output_0").attributes["nearest_mode"] = std::string("ceil"); }},
      {"another operator", [](ir::Graph& g) { maker_of(g, "sum_output_0").op = "Max"; }},
      {"outputs in another order", [](ir::Graph& g) { std::swap(g.outputs[0], g.outputs[1]); }},
      {"an output less", [](ir::Graph& g) { g.outputs.pop_back(); }},
  };
  return list;
}

TEST(CheckEquivalence, FindsEveryKindOfWrongRewrite) {
  const ir::Graph before = Export(16).take(), after = simplified(before);
  for (const Wrong& wrong : wrong_rewrites()) {
    ir::Graph spoiled = after;
    wrong.spoil(spoiled);
    spoiled.compact();
    const ModelCheck report = check(before, spoiled);
    EXPECT_FALSE(report.same) << wrong.kind;
    EXPECT_GT(report.difference, 1e-3) << wrong.kind;
  }
}

TEST(CheckEquivalence, LooksAgainFromEndToEnd) {
  const ir::Graph before = Export(256).take();
  ir::Graph spoiled = simplified(before);
  maker_of(spoiled, "pool_output_0").attributes["pads"] = List{1, 1, 0, 0};
  const ModelCheck report = check(before, spoiled);
  EXPECT_FALSE(report.same);
  EXPECT_EQ(report.whole, Whole::kReduced);
}

/// A Pad by zeros goes into a MaxPool because its input is never negative: what makes the input is part of it.
TEST(CheckEquivalence, WidensAPart) {
  ir::Graph before;
  const auto x = before.add_input("x", DType::kF32, {1, 4, 8, 8});
  const auto relu = before.add_node("Relu", "relu", {before.add_node("Neg", "neg", {x})});
  const auto pads = before.add_constant("pads", ints({0, 0, 1, 1, 0, 0, 1, 1}));
  const auto pool =
      before.add_node("MaxPool", "pool", {before.add_node("Pad", "pad", {relu, pads})}, {{"kernel_shape", List{3, 3}}});
  before.outputs = {before.add_node("Neg", "y", {pool})};
  ops::infer_shapes(before);
  const ir::Graph after = simplified(before);
  EXPECT_EQ(lines(after),
            "neg_output_0 = Neg(x)\nrelu_output_0 = Relu(neg_output_0)\npool_output_0 = MaxPool(relu_output_0)\n"
            "y_output_0 = Neg(pool_output_0)\n");
  const ModelCheck report = check(before, after);
  EXPECT_TRUE(report.same);
  EXPECT_EQ(report.whole, Whole::kNot);
  EXPECT_EQ(report.parts, 1u);
}

/// A part may begin at a value only where both graphs read it there: here b reads x beside y, and y is made from x.
TEST(CheckEquivalence, LooksBehindAValueThatOneGraphReads) {
  const auto make = [](bool again) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {1, 8});
    const auto y = graph.add_node("Neg", "y", {graph.add_node("Abs", "abs", {x})});
    const auto z = graph.add_node(
        "Mul", "z", {again ? graph.add_node("Neg", "again", {graph.add_node("Abs", "abs2", {x})}) : y, x});
    graph.outputs = {graph.add_node("Exp", "out", {z}), y};
    return graph;
  };
  const ModelCheck report = check(make(false), make(true));
  EXPECT_TRUE(report.same);
  EXPECT_EQ(report.whole, Whole::kNot);
}

/// Rounding errors of an early value may not change a choice after it.
TEST(CheckEquivalence, LetsBothGraphsChooseFromTheSame) {
  const auto make = [](float factor) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kF32, {1, 8});
    const auto y = graph.add_node("Mul", "mul", {x, graph.add_constant("factor", floats({}, {factor}))});
    const auto both = graph.add_node("Concat", "both", {x, y}, {{"axis", int64_t{0}}});
    graph.outputs = {graph.add_node("ArgMax", "best", {both}, {{"axis", int64_t{0}}})};
    return graph;
  };
  EXPECT_TRUE(check(make(0.9999999f), make(1.0000001f)).same);
  EXPECT_FALSE(check(make(0.9f), make(1.1f)).same);
}

TEST(CheckEquivalence, InputsOfEveryType) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kF64, DType::kI8, DType::kU8, DType::kI16,
                            DType::kU16, DType::kI32, DType::kU32, DType::kI64, DType::kU64, DType::kBool}) {
    const auto make = [&](float factor) {
      ir::Graph graph;
      const auto x = graph.add_input("x", dtype, {2, 3, 4});
      const auto wide = graph.add_node("Cast", "wide", {graph.add_node("Identity", "same", {x})}, {{"to", int64_t{1}}});
      graph.outputs = {graph.add_node("Mul", "y", {wide, graph.add_constant("c", floats({}, {factor}))})};
      return graph;
    };
    EXPECT_TRUE(check(make(3), simplified(make(3))).same) << dtype_name(dtype);
    EXPECT_FALSE(check(make(3), simplified(make(4))).same) << dtype_name(dtype);
  }
}

/// Whole numbers look up tables, so that they may not be any.
TEST(CheckEquivalence, IndicesOfASmallTable) {
  const auto make = [](const char* op) {
    ir::Graph graph;
    const auto x = graph.add_input("x", DType::kI64, {4});
    const auto rows = graph.add_node("Gather", "rows", {graph.add_constant("table", waves({2, 3})), x});
    graph.outputs = {graph.add_node(op, "y", {rows})};
    return graph;
  };
  EXPECT_TRUE(check(make("Relu"), make("Relu")).same);
  EXPECT_TRUE(compare_whole(make("Relu"), make("Relu"), {}).same);
  EXPECT_FALSE(check(make("Relu"), make("Abs")).same);
}

TEST(CheckEquivalence, NamesAnInputOfUnknownShape) {
  const auto make = [](const char* op) {
    ir::Graph graph;
    graph.outputs = {graph.add_node(op, "y", {graph.add_input("x", DType::kF16, {-1, 3})})};
    return graph;
  };
  try {
    check(make("Relu"), make("Abs"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "input 'x' has shape ?x3, which is not known to the last dimension; give its shape");
  }
}

}  // namespace
}  // namespace effdet::passes
