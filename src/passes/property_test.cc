// Random small graphs: each pass alone, and all together, must leave what the graph computes.
#include <set>

#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/random_graph_test_util.h"

namespace effdet::passes {
namespace {

constexpr uint64_t kGraphs = 350;

TEST(RandomGraphs, EachPassAlone) {
  const std::vector<std::string> names = pass_names();
  std::map<std::string, int> changes;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    const ir::Graph before = RandomGraph(seed).graph();
    for (const std::string& name : names) {
      std::set<std::string> others(names.begin(), names.end());
      others.erase(name);
      ir::Graph after = before;
      simplify(after, {.skip_passes = others, .on_change = [&](std::string_view) { ++changes[name]; }});
      ASSERT_LT(compare_whole(before, after, {.runs = 1, .seed = seed}).difference, 1e-4)
          << name << " on graph " << seed << "\n"
          << ir::to_text(before) << ir::to_text(after);
    }
  }
  // Every pass finds something to do but two: the sizes of these graphs are all known, and there is no If.
  for (const char* name : {"sizes_to_scales", "inline_branches"}) changes.emplace(name, kGraphs);
  for (const std::string& name : names) EXPECT_GT(changes[name], 5) << name;
}

TEST(RandomGraphs, AllPassesTogether) {
  for (uint64_t seed = kGraphs; seed < 2 * kGraphs; ++seed) {
    const ir::Graph before = RandomGraph(seed).graph();
    ir::Graph after = before;
    simplify(after);
    EXPECT_LE(after.nodes.size(), before.nodes.size());
    ASSERT_LT(compare_whole(before, after, {.runs = 1, .seed = seed}).difference, 1e-4)
        << "graph " << seed << "\n"
        << ir::to_text(before) << ir::to_text(after);
    const std::string once = ir::to_text(after);
    simplify(after);
    EXPECT_EQ(ir::to_text(after), once) << seed;
  }
}

}  // namespace
}  // namespace effdet::passes
