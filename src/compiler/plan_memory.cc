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

/// Finds the blocks that are alive with another without looking at all: a tree of halves of the program's steps, where
/// a block is in the parts that its life covers. A hostile graph has a million of them.
class AliveBlocks {
 public:
  explicit AliveBlocks(int steps) : steps_(steps), parts_(4 * static_cast<size_t>(steps)) {}

  void add(uint32_t block, const Lifetime& life) { add(block, life, 1, 0, steps_ - 1); }

  /// Appends those whose lives overlap; some of them twice.
  void find(const Lifetime& life, std::vector<uint32_t>& found) const { find(life, found, 1, 0, steps_ - 1); }

 private:
  struct Part {
    std::vector<uint32_t> whole, within;  ///< blocks alive in all of it; in parts of it
  };

  void add(uint32_t block, const Lifetime& life, size_t part, int first, int last) {
    if (life.last < first || last < life.first) return;
    const bool covered = life.first <= first && last <= life.last;
    (covered ? parts_[part].whole : parts_[part].within).push_back(block);
    if (covered) return;
    const int middle = first + (last - first) / 2;
    add(block, life, 2 * part, first, middle);
    add(block, life, 2 * part + 1, middle + 1, last);
  }

  void find(const Lifetime& life, std::vector<uint32_t>& found, size_t part, int first, int last) const {
    if (life.last < first || last < life.first) return;
    const Part& here = parts_[part];
    found.insert(found.end(), here.whole.begin(), here.whole.end());
    if (life.first <= first && last <= life.last) {
      found.insert(found.end(), here.within.begin(), here.within.end());
      return;
    }
    const int middle = first + (last - first) / 2;
    find(life, found, 2 * part, first, middle);
    find(life, found, 2 * part + 1, middle + 1, last);
  }

  int steps_;
  std::vector<Part> parts_;
};

/// The lowest gap of this size between blocks, given as indices.
uint64_t lowest_gap(uint64_t bytes, const std::vector<Placed>& blocks, std::vector<uint32_t>& alive) {
  std::ranges::sort(alive, {}, [&](uint32_t i) { return blocks[i].offset; });
  uint64_t offset = 0;
  for (const uint32_t i : alive) {
    if (offset + bytes <= blocks[i].offset) break;
    offset = std::max(offset, blocks[i].offset + blocks[i].bytes);
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
      blocks.push_back({id, aligned_bytes(value_bytes(program.graph.value(id))), lives[i]});
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
  int steps = 1;
  for (const Placed& block : blocks) steps = std::max(steps, block.life.last + 1);
  AliveBlocks placed(steps);
  std::vector<uint32_t> alive;
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    Placed& block = blocks[i];
    alive.clear();
    placed.find(block.life, alive);
    block.offset = lowest_gap(block.bytes, blocks, alive);
    placed.add(i, block.life);
    program.placements[static_cast<size_t>(block.id)] = {Space::kArena, block.offset};
    program.arena_bytes = std::max(program.arena_bytes, block.offset + block.bytes);
  }
  return program;
}

}  // namespace effdet::compiler
