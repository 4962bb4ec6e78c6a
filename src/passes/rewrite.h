// What the rewrites share.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

/// A value name that the graph does not have yet: base, or base with a number.
std::string unique_name(const ir::Graph& graph, const std::string& base);

/// unique_name for many: the graph's names are looked through once, and names that it gave are taken too. Values that
/// the graph gets otherwise meanwhile are not seen.
class UniqueNames {
 public:
  explicit UniqueNames(const ir::Graph& graph) : graph_(graph) {}
  std::string make(const std::string& base);

 private:
  const ir::Graph& graph_;
  std::unordered_map<std::string, int> next_;  ///< by name that is taken: the number to try first after it
};

/// The only element of a float32 or float64 constant, or nothing.
std::optional<double> scalar_constant(const ir::Graph& graph, ir::ValueId id);

/// Content of an int32 or int64 constant, or nothing.
std::optional<std::vector<int64_t>> int_constant(const ir::Graph& graph, ir::ValueId id);

/// Whether the shape is known to the last dimension.
bool is_static(const std::optional<Shape>& shape);

/// Replaces values in one sweep, which stays linear however many there are.
class Replacements {
 public:
  explicit Replacements(const ir::Graph& graph) : target_(graph.value_count(), ir::kNoValue) {}

  void replace(ir::ValueId from, ir::ValueId to) { target_[static_cast<size_t>(from)] = to; }
  /// What stands for the value by now.
  ir::ValueId resolve(ir::ValueId id) const;
  /// Makes all nodes and the graph's outputs read the replacements.
  void apply(ir::Graph& graph) const;

 private:
  std::vector<ir::ValueId> target_;
};

/// Takes out the nodes whose flag is set; whether there were any. Precondition: a flag for each node.
bool erase_nodes(ir::Graph& graph, const std::vector<bool>& drop);

}  // namespace effdet::passes
