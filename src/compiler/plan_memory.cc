// A place in the arena for each value: the largest first, each into the lowest gap.
#include <algorithm>
#include <numeric>

#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

struct Placed {
  ir::ValueId id;
  uint64_t bytes;
  artifact::Lifetime life;
  uint64_t offset = 0;
};

/// A part of the arena.
struct Range {
  uint64_t begin, end;
};

/// What of the arena is taken: ranges in order that do not touch.
class Taken {
 public:
  void add(Range range) {
    const auto first = std::ranges::lower_bound(ranges_, range.begin, {}, &Range::end);
    auto last = first;
    for (; last != ranges_.end() && last->begin <= range.end; ++last)
      range = {std::min(range.begin, last->begin), std::max(range.end, last->end)};
    if (first == last) {
      ranges_.insert(first, range);
    } else {
      *first = range;
      ranges_.erase(first + 1, last);
    }
  }

  /// The lowest offset from `offset` on where so many bytes are free.
  uint64_t free_from(uint64_t offset, uint64_t bytes) const {
    for (auto range = std::ranges::upper_bound(ranges_, offset, {}, &Range::end);
         range != ranges_.end() && range->begin < offset + bytes; ++range)
      offset = range->end;
    return offset;
  }

 private:
  std::vector<Range> ranges_;
};

/// Finds what is taken during a life without looking at each block: a tree of halves of the program's steps, where a
/// block is in the parts that its life covers. Neighbours in the arena are one range, so that a part has few of them. A
/// hostile graph has a million blocks, and as many of them alive at a time.
class Arena {
 public:
  explicit Arena(int steps) : steps_(steps), parts_(2 * static_cast<size_t>(steps)) {}

  void take(const Range& range, const artifact::Lifetime& life) { take(range, life, 0, 0, steps_ - 1); }

  /// The lowest offset where so many bytes are free as long as the life lasts.
  uint64_t lowest_gap(uint64_t bytes, const artifact::Lifetime& life) {
    during_.clear();
    find(life, 0, 0, steps_ - 1);
    uint64_t offset = 0;
    for (size_t agreed = 0, i = 0; agreed < during_.size(); i = (i + 1) % during_.size()) {
      const uint64_t next = during_[i]->free_from(offset, bytes);
      agreed = next == offset ? agreed + 1 : 1;
      offset = next;
    }
    return offset;
  }

 private:
  struct Part {
    Taken whole, within;  ///< by blocks alive in all of it; in some of it
  };

  // The parts of a tree in the order of a walk: the left half of n steps has 2n - 1 parts.
  static size_t left_of(size_t part) { return part + 1; }
  static size_t right_of(size_t part, int first, int middle) {
    return part + 2 * static_cast<size_t>(middle - first + 1);
  }

  void take(const Range& range, const artifact::Lifetime& life, size_t part, int first, int last) {
    if (life.last < first || last < life.first) return;
    const bool covered = life.first <= first && last <= life.last;
    (covered ? parts_[part].whole : parts_[part].within).add(range);
    if (covered) return;
    const int middle = first + (last - first) / 2;
    take(range, life, left_of(part), first, middle);
    take(range, life, right_of(part, first, middle), middle + 1, last);
  }

  void find(const artifact::Lifetime& life, size_t part, int first, int last) {
    if (life.last < first || last < life.first) return;
    during_.push_back(&parts_[part].whole);
    if (life.first <= first && last <= life.last) {
      during_.push_back(&parts_[part].within);
      return;
    }
    const int middle = first + (last - first) / 2;
    find(life, left_of(part), first, middle);
    find(life, right_of(part, first, middle), middle + 1, last);
  }

  int steps_;
  std::vector<Part> parts_;
  std::vector<const Taken*> during_;
};

}  // namespace

artifact::Program plan_memory(ir::Graph graph, std::string_view target) {
  artifact::Program program;
  program.target = target;
  program.graph = std::move(graph);
  const std::vector<artifact::Lifetime> lives = artifact::lifetimes(program.graph);
  program.placements.resize(program.graph.value_count());
  using Space = artifact::Placement::Space;
  std::vector<Placed> blocks;
  for (size_t i = 0; i < program.placements.size(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (program.graph.value(id).constant) {
      program.placements[i].space = Space::kWeights;
    } else if (lives[i].first >= 0) {
      blocks.push_back({id, artifact::aligned_bytes(artifact::value_bytes(program.graph.value(id))), lives[i]});
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
  Arena arena(steps);
  for (Placed& block : blocks) {
    block.offset = arena.lowest_gap(block.bytes, block.life);
    arena.take({block.offset, block.offset + block.bytes}, block.life);
    program.placements[static_cast<size_t>(block.id)] = {Space::kArena, block.offset};
    program.arena_bytes = std::max(program.arena_bytes, block.offset + block.bytes);
  }
  return program;
}

}  // namespace effdet::compiler
