// Large maps of a batch are computed some images at a time.
#include <cstdlib>
#include <functional>
#include <map>

#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

/// Two layers with a map of 2.25 MB an image between them, and what `end` puts after them.
Builder large_maps(int64_t batch, const std::function<ir::ValueId(Builder&, ir::ValueId)>& end) {
  ::setenv("EFFDET_NUM_THREADS", "1", 1);  // with many threads, more images are taken at a time
  Builder b({batch, 3, 96, 96});
  b.graph.outputs = {end(b, b.conv("narrow", b.swish("swish", b.conv("wide", b.x, {64, 3, 3, 3})), {2, 64, 1, 1}))};
  return b;
}

TEST(SplitBatch, LargeMapsAreMicroBatches) {
  const auto as_list = [](int64_t batch) {
    return [batch](Builder& b, ir::ValueId in) {
      return b.node("Reshape", "y", {in, b.constant("shape", ints({batch, 2, 9216}))});
    };
  };
  const Builder b = large_maps(6, as_list(6));
  const artifact::Program program = compile(b.graph), whole = compile(b.graph, {.split_batch = false});
  EXPECT_EQ(program.micro_batches, 2);
  EXPECT_EQ(whole.micro_batches, 1);
  EXPECT_LT(program.arena_bytes, whole.arena_bytes * 2 / 3);
  const Tensor batch = waves({6, 3, 96, 96});
  const Tensor got = run(program, std::span(&batch, 1))[0];
  EXPECT_EQ(got.shape(), (Shape{6, 2, 9216}));
  EXPECT_TRUE(std::ranges::equal(got.bytes(), run(whole, std::span(&batch, 1))[0].bytes()));
  EXPECT_EQ(compile(large_maps(2, as_list(2)).graph).micro_batches, 1) << "both images fit into the cache";
  EXPECT_EQ(compile(large_maps(7, as_list(7)).graph).micro_batches, 7) << "a prime number of images";
}

TEST(SplitBatch, NotWhereStepsMixImages) {
  using End = std::function<ir::ValueId(Builder&, ir::ValueId)>;
  const std::map<std::string, End> ends = {
      {"Softmax",
       [](Builder& b, ir::ValueId in) {
         return b.node("Softmax", "y", {in}, {{"axis", int64_t{0}}});
       }},
      {"Concat",
       [](Builder& b, ir::ValueId in) {
         return b.node("Slice", "y",
                       {b.node("Concat", "c", {in, in}, {{"axis", int64_t{-4}}}), b.constant("starts", ints({0})),
                        b.constant("ends", ints({6})), b.constant("axes", ints({0}))});
       }},
      {"Transpose",
       [](Builder& b, ir::ValueId in) {
         return b.node("Transpose", "y", {in}, {{"perm", Ints{1, 0, 2, 3}}});
       }},
      {"Reshape",
       [](Builder& b, ir::ValueId in) {
         return b.node("Reshape", "y", {in, b.constant("s", ints({12, 9216}))});
       }},
      {"Mul",
       [](Builder& b, ir::ValueId in) {
         return b.node("Mul", "y", {in, b.constant("f", waves({6, 1, 1, 1}))});
       }},
  };
  for (const auto& [name, end] : ends) EXPECT_EQ(compile(large_maps(6, end).graph).micro_batches, 1) << name;
  const auto common = [](Builder& b, ir::ValueId in) {
    return b.node("Mul", "y", {in, b.constant("f", waves({1, 2, 1, 1}))});
  };
  EXPECT_EQ(compile(large_maps(6, common).graph).micro_batches, 2);
}

TEST(SplitBatch, WhereReductionsLeaveTheBatchInItsPlace) {
  const auto reduced = [](int64_t keeps) {
    return [keeps](Builder& b, ir::ValueId in) {
      return b.node("ReduceProd", "y", {in}, {{"axes", Ints{2, 3}}, {"keepdims", keeps}});
    };
  };
  EXPECT_EQ(compile(large_maps(6, reduced(1)).graph).micro_batches, 2);
  EXPECT_EQ(compile(large_maps(6, reduced(0)).graph).micro_batches, 1) << "what is first may be another dimension";
}

TEST(SplitBatch, ChoicesAreOfTheMicroBatch) {
  const Builder b = large_maps(6, [](Builder&, ir::ValueId in) { return in; });
  std::vector<std::string> keys;
  CompileOptions options;
  options.choices.on_product = [&](const LayerChoices::Candidate& candidate) { keys.push_back(candidate.key); };
  const Compilation compilation(b.graph, options);
  EXPECT_TRUE(keys.empty()) << "nothing is chosen before it is finished";
  EXPECT_EQ(compilation.finish(options.choices).micro_batches, 2);
  ASSERT_EQ(keys.size(), 2u) << "once for each layer";
  EXPECT_TRUE(keys[0].starts_with("Conv 3x3x96x96 to 3x64x96x96")) << keys[0];
  LayerChoices direct;
  direct.other_products = LayerChoices::Others::kNo;
  const artifact::Program program = compilation.finish(direct), same = compile(b.graph, {.choices = direct});
  ASSERT_EQ(program.graph.nodes.size(), same.graph.nodes.size());
  for (size_t i = 0; i < program.graph.nodes.size(); ++i) {
    EXPECT_EQ(program.graph.nodes[i].get_string("product", ""), "direct");
    EXPECT_EQ(program.graph.nodes[i].name, same.graph.nodes[i].name);
  }
}

}  // namespace
}  // namespace effdet::compiler
