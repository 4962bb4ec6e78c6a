// Structure of a graph: topological order, and the checks that every pass must leave intact.
#include <queue>
#include <unordered_set>

#include "base/error.h"
#include "ir/graph.h"

namespace effdet::ir {
namespace {

void check_id(const Graph& graph, const Node& node, ValueId id) {
  if (id < 0 || static_cast<size_t>(id) >= graph.value_count())
    bad_input("node '{}' ({}) refers to value {}, which does not exist", node.name, node.op, id);
}

void check_names(const Graph& graph) {
  std::unordered_set<std::string_view> names;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    if (value.name.empty()) bad_input("value {} has no name", i);
    if (!names.insert(value.name).second) bad_input("two values are named '{}'", value.name);
  }
}

}  // namespace

void sort_nodes(Graph& graph) {
  const Uses uses(graph);
  const size_t count = graph.nodes.size();
  std::vector<int> missing(count, 0);  // inputs whose producers have not been placed yet
  for (size_t i = 0; i < count; ++i)
    for (ValueId id : graph.nodes[i].inputs)
      if (id != kNoValue && uses.producer(id) >= 0) ++missing[i];
  // The smallest index first, so that a graph in order stays as it is.
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < count; ++i)
    if (missing[i] == 0) ready.push(static_cast<int>(i));
  std::vector<Node> sorted;
  sorted.reserve(count);
  while (!ready.empty()) {
    const int index = ready.top();
    ready.pop();
    Node& node = graph.nodes[static_cast<size_t>(index)];
    for (ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      for (int reader : uses.readers(id))
        if (--missing[static_cast<size_t>(reader)] == 0) ready.push(reader);
    }
    sorted.push_back(std::move(node));
  }
  if (sorted.size() != count) {
    for (size_t i = 0; i < count; ++i)
      if (missing[i] > 0) bad_input("node '{}' ({}) is part of a cycle", graph.nodes[i].name, graph.nodes[i].op);
  }
  graph.nodes = std::move(sorted);
}

void verify(const Graph& graph) {
  check_names(graph);
  std::vector<bool> defined(graph.value_count(), false);
  for (size_t i = 0; i < graph.value_count(); ++i)
    if (graph.is_given(static_cast<ValueId>(i))) defined[i] = true;
  for (ValueId id : graph.inputs) {
    if (id < 0 || static_cast<size_t>(id) >= graph.value_count()) bad_input("graph input {} does not exist", id);
    defined[static_cast<size_t>(id)] = true;
  }
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      check_id(graph, node, id);
      if (!defined[static_cast<size_t>(id)])
        bad_input("node '{}' ({}) reads '{}', which nothing before it makes", node.name, node.op, graph.value(id).name);
    }
    for (ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      check_id(graph, node, id);
      if (defined[static_cast<size_t>(id)])
        bad_input("node '{}' ({}) makes '{}', which is made already", node.name, node.op, graph.value(id).name);
      defined[static_cast<size_t>(id)] = true;
    }
  }
  if (graph.outputs.empty()) bad_input("the graph has no outputs");
  for (ValueId id : graph.outputs) {
    if (id < 0 || static_cast<size_t>(id) >= graph.value_count()) bad_input("graph output {} does not exist", id);
    if (!defined[static_cast<size_t>(id)]) bad_input("nothing makes the graph's output '{}'", graph.value(id).name);
  }
}

}  // namespace effdet::ir
