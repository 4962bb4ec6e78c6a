#include <algorithm>
#include <numeric>

#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

struct Placed {
  ir::ValueId id;
  uint64_t bytes;
  Lifetime life;
  uint64_t offset = 0;
};

uint64_t round_up(uint64_t bytes) { return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment; }

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

/// The lowest gap between the blocks that are alive with this one.
uint64_t lowest_gap(const Placed& block, const std::vector<Placed>& placed) {
  uint64_t offset = 0;
  for (const Placed& other : placed) {  // in order of offset
    if (!alive_together(block.life, other.life)) continue;
    if (offset + block.bytes <= other.offset) break;
    offset = std::max(offset, other.offset + other.bytes);
  }
  return offset;
}

}  // namespace

Program plan_memory(ir::Graph graph) {
  Program program;
  program.target = "cpu";
  program.graph = std::move(graph);
  const std::vector<Lifetime> lives = lifetimes(program.graph);
  program.placements.resize(program.graph.value_count());
  using Space = Placement::Space;
  std::vector<Placed> blocks;
  for (size_t i = 0; i < program.placements.size(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (program.graph.value(id).constant) {
      program.placements[i].space = Space::kWeights;
    } else if (lives[i].first >= 0) {
      blocks.push_back({id, round_up(value_bytes(program.graph.value(id))), lives[i]});
    }
  }
  const auto place_ends = [&](const std::vector<ir::ValueId>& ids, Space space) {
    for (size_t i = 0; i < ids.size(); ++i) program.placements[static_cast<size_t>(ids[i])] = {space, i};
  };
  place_ends(program.graph.inputs, Space::kInput);
  place_ends(program.graph.outputs, Space::kOutput);
  std::erase_if(blocks,
                [&](const Placed& b) { return program.placements[static_cast<size_t>(b.id)].space != Space::kNone; });

  // Largest first, each into the lowest gap: within a few per cent of the lower bound for such networks.
  std::ranges::stable_sort(blocks, std::greater{}, &Placed::bytes);
  std::vector<Placed> placed;
  for (Placed& block : blocks) {
    block.offset = lowest_gap(block, placed);
    placed.insert(std::ranges::upper_bound(placed, block.offset, {}, &Placed::offset), block);
    program.placements[static_cast<size_t>(block.id)] = {Space::kArena, block.offset};
    program.arena_bytes = std::max(program.arena_bytes, block.offset + block.bytes);
  }
  return program;
}

}  // namespace effdet::compiler
