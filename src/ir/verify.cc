// Structure of a graph: topological order, and the checks that every pass must leave intact.
#include <algorithm>
#include <queue>
#include <unordered_map>

#include "base/error.h"
#include "ir/graph.h"

namespace effdet::ir {
namespace {

void check_id(const Graph& graph, const Node& node, ValueId id) {
  if (id < 0 || static_cast<size_t>(id) >= graph.value_count())
    bad_input("node '{}' ({}) refers to value {}, which does not exist", node.name, node.op, id);
}

/// Names are unique, but for an output that only copies an input: it has the input's name, as in the file that a
/// compiled model was made from.
void check_names(const Graph& graph) {
  std::unordered_map<std::string_view, ValueId> names;
  std::vector<std::pair<ValueId, ValueId>> same;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const std::string& name = graph.value(id).name;
    if (name.empty()) bad_input("value {} has no name", i);
    if (const auto [first, fresh] = names.emplace(name, id); !fresh) same.emplace_back(first->second, id);
  }
  const auto is_copy = [&](ValueId input, ValueId output) {
    return std::ranges::find(graph.inputs, input) != graph.inputs.end() &&
           std::ranges::find(graph.outputs, output) != graph.outputs.end() &&
           std::ranges::any_of(graph.nodes, [&](const Node& node) {
             return node.is("Identity") && node.inputs == std::vector{input} && node.outputs == std::vector{output};
           });
  };
  constexpr size_t kMostCopies = 64;  // each is looked for
  for (const auto& [a, b] : same)
    if (same.size() > kMostCopies || (!is_copy(a, b) && !is_copy(b, a)))
      bad_input("two values are named '{}'", graph.value(a).name);
}

/// Only maps that nodes make may have channels last; `defined` are the values that no node makes.
void check_layouts(const Graph& graph, const std::vector<bool>& defined) {
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    const bool is_map = value.shape && value.shape->size() == 4;
    if (value.layout != Layout::kPlain && (!is_map || defined[i]))
      bad_input("value '{}' has channels last, and is no map that a node makes", value.name);
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
  check_layouts(graph, defined);
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
