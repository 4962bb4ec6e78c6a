// How many bytes of constants rewrites may make, and read to make them: a few nodes can stand for gigabytes.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace effdet::passes {

/// Bytes of the constants that nodes or the caller read, and of tensors among attributes: what a file of the graph
/// holds beside its nodes. A constant counts once, however many read it, and again where another has the same bytes.
uint64_t constant_bytes(const ir::Graph& graph);

/// Bytes that all rewrites of a graph may add to its constants together.
inline constexpr uint64_t kMostGrowth = uint64_t{64} << 20;

/// What the rewrites of a graph may still do. It knows the constants that are there and not what was ever added, so
/// that one rewrite may use what another gave back.
class RewriteBudget {
 public:
  /// `growth` bytes beyond the constants that the graph has now.
  explicit RewriteBudget(const ir::Graph& graph, uint64_t growth = kMostGrowth);

  /// Before each rewrite: what the graph has now counts.
  void count(const ir::Graph& graph) { now_ = constant_bytes(graph); }
  /// Whether so many bytes of constants may be added and so many taken away; if so, they are.
  bool change(uint64_t added, uint64_t removed = 0);
  /// So many bytes more may be there from now on: what is bounded otherwise.
  void allow(uint64_t bytes) { most_ += bytes; }
  /// Whether so many bytes may be read and written once more; if so, they are taken from those that are left.
  bool work(uint64_t bytes);

 private:
  uint64_t now_, most_, work_left_;
};

}  // namespace effdet::passes
