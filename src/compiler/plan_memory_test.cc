// No two values that live at the same time share memory, and freed memory is used again.
#include <random>

#include "base/error.h"
#include "compiler/test_util.h"

namespace effdet::compiler {
namespace {

TEST(PlanMemory, NothingOverlapsAndMemoryIsUsedAgain) {
  Builder b({1, 16, 16, 16});
  ir::ValueId value = b.x;
  uint64_t sum = 0;
  for (int i = 0; i < 20; ++i, sum += 16 * 16 * 16 * 4)
    value = b.conv("conv" + std::to_string(i), value, {16, 16, 1, 1});
  b.graph.outputs = {value};
  const artifact::Program program = compile(b.graph);
  EXPECT_LE(program.arena_bytes, 3 * sum / 20) << "a chain needs two places (and the input's in NHWC)";
  EXPECT_NO_THROW(artifact::verify_program(program, "test"));
  artifact::Program moved = program;
  for (artifact::Placement& placement : moved.placements)
    if (placement.space == artifact::Placement::Space::kArena) placement.offset = 0;
  EXPECT_THROW(artifact::verify_program(moved, "test"), Error);
}

/// Steps with random sources, whose values have random sizes and so random lives.
ir::Graph random_lives(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](size_t n) { return static_cast<int64_t>(random() % n); };
  ir::Graph graph;
  std::vector<ir::ValueId> values{graph.add_input("x", DType::kF32, {1})};
  for (int i = 0; i < 200; ++i) {
    std::vector<ir::ValueId> sources;
    for (int64_t k = below(3); k >= 0; --k)
      sources.push_back(
          values[static_cast<size_t>(below(4) > 0 ? std::max<int64_t>(0, i - below(4)) : below(values.size()))]);
    values.push_back(graph.add_node("Sum", "s" + std::to_string(i), sources));
    graph.value(values.back()).shape = Shape{below(3) > 0 ? 16 * (1 + below(40)) : below(2)};
  }
  graph.outputs = {values.back()};
  return graph;
}

/// Largest first, each into the lowest gap among all that are alive with it: what plan_memory says of itself, by
/// looking at every pair.
TEST(PlanMemory, TakesTheLowestGap) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const artifact::Program program = plan_memory(random_lives(seed), "cpu");
    const std::vector<artifact::Lifetime> lives = artifact::lifetimes(program.graph);
    std::vector<size_t> order;
    for (size_t i = 0; i < program.placements.size(); ++i)
      if (program.placements[i].space == artifact::Placement::Space::kArena) order.push_back(i);
    const auto bytes = [&](size_t i) {
      return artifact::aligned_bytes(artifact::value_bytes(program.graph.value(static_cast<ir::ValueId>(i))));
    };
    std::ranges::stable_sort(order, std::greater{}, bytes);
    for (size_t k = 0; k < order.size(); ++k) {
      uint64_t offset = 0;
      for (bool moved = true; std::exchange(moved, false);)
        for (size_t j = 0; j < k; ++j) {
          const size_t other = order[j];
          const uint64_t begin = program.placements[other].offset;
          if (lives[other].last < lives[order[k]].first || lives[order[k]].last < lives[other].first) continue;
          if (begin >= offset + bytes(order[k]) || offset >= begin + bytes(other)) continue;
          offset = begin + bytes(other);
          moved = true;
        }
      ASSERT_EQ(program.placements[order[k]].offset, offset) << "seed " << seed << ", value " << order[k];
    }
  }
}

}  // namespace
}  // namespace effdet::compiler
