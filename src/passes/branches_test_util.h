// Ifs in graphs of tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

/// A graph as an attribute, for tests.
class InnerGraph : public ir::OpaqueAttribute {
 public:
  explicit InnerGraph(ir::Graph graph) : graph_(std::move(graph)) { message_ = ir::to_text(graph_); }
  ir::Graph graph() const override { return graph_; }

 private:
  ir::Graph graph_;
};

inline std::shared_ptr<const ir::OpaqueAttribute> inner(ir::Graph graph) {
  return std::make_shared<const InnerGraph>(std::move(graph));
}

/// op(captured) -> "out"; captured is a value around the node.
inline ir::Graph branch(const char* op, const char* captured) {
  ir::Graph graph;
  const auto x = graph.add_value({captured, DType::kUnknown});
  graph.inputs = {x};
  graph.outputs = {graph.add_node(op, "step", {x})};
  return graph;
}

/// An If whose branches read the values after its condition.
inline ir::ValueId add_if(ir::Graph& graph, const char* name, ir::ValueId condition,
                          const std::vector<ir::ValueId>& read, ir::Graph then, ir::Graph otherwise) {
  std::vector<ir::ValueId> inputs{condition};
  inputs.insert(inputs.end(), read.begin(), read.end());
  const auto out = graph.add_node("If", name, inputs);
  ir::Node& node = graph.nodes.back();
  node.attributes["then_branch"] = inner(std::move(then));
  node.attributes["else_branch"] = inner(std::move(otherwise));
  for (ir::ValueId id : read) node.captures.push_back(graph.value(id).name);
  graph.value(out).dtype = DType::kUnknown;
  return out;
}

}  // namespace effdet::passes
