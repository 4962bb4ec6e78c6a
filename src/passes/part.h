// A part of two graphs that can be compared by itself: what lies between values that both have and one more value.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.h"
#include "ir/graph.h"
#include "passes/value_numbers.h"

namespace effdet::passes {

/// A graph and the numbers of its values. Values of two graphs with the same number are equal, or taken for equal.
struct NumberedGraph {
  explicit NumberedGraph(ir::Graph numbered);

  ir::Graph graph;
  std::vector<Number> numbers;  ///< by value, -1 until it has one
  std::vector<int> producers;   ///< by value: index of the node, -1 for inputs and constants

  void set(ir::ValueId id, Number number);
  Number number(ir::ValueId id) const { return id == ir::kNoValue ? -1 : numbers[static_cast<size_t>(id)]; }
  int producer(ir::ValueId id) const { return producers[static_cast<size_t>(id)]; }
  /// The first value with that number, or kNoValue.
  ir::ValueId value_of(Number number) const;

 private:
  std::unordered_map<Number, ir::ValueId> values_;
};

/// What makes a value: the nodes, back to values that both graphs have.
struct Cone {
  ir::ValueId target = ir::kNoValue;
  std::vector<int> nodes;     ///< in the graph's order
  std::set<Number> frontier;  ///< what the nodes read from outside, without constants
};

struct Part {
  Cone a, b;
  std::set<Number> inputs;  ///< both frontiers
  std::set<Number> opened;  ///< shared values that the part does not begin at: it contains what makes them
};

/// Finds parts of two graphs.
class PartFinder {
 public:
  PartFinder(const NumberedGraph& a, const NumberedGraph& b) : a_(a), b_(b) {}

  /// The part that ends in these two values. Both cones begin at the same values: at those of float type and known
  /// shape that both graphs have and both cones reach, at inputs and at constants. Nothing where that takes too many
  /// nodes, or one of an operator that is not known; `obstacle` says which.
  std::optional<Part> find(ir::ValueId in_a, ir::ValueId in_b, std::string& obstacle) const;

  /// The same, begun a value further up: a rewrite may rely on what makes its input, a Relu before a MaxPool say.
  std::optional<Part> widened(const Part& part, std::string& obstacle) const;

 private:
  std::optional<Part> close(Part part, std::string& obstacle) const;
  std::optional<Cone> cone(const NumberedGraph& side, ir::ValueId target, const std::set<Number>& opened,
                           std::string& obstacle) const;
  bool is_constant(Number number) const;
  bool is_cut(Number number) const;
  bool is_input(Number number) const;

  const NumberedGraph &a_, &b_;
};

struct PartDifference {
  double difference = 0;  ///< see relative_difference
  bool reduced = false;   ///< computed on smaller maps than the graphs have
  std::string obstacle;   ///< not empty: why the part could not be run
};

/// Runs both cones with the reference kernels on the same `runs` random inputs and compares what they make. Where that
/// would take long, maps are made smaller along their spatial axes, in both alike, and a difference that shows there is
/// looked at again at full size.
PartDifference compare_part(const NumberedGraph& a, const NumberedGraph& b, const Part& part, int runs, uint64_t seed,
                            ThreadPool* threads);

}  // namespace effdet::passes
