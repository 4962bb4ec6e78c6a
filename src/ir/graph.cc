// Attributes by name, values and nodes of a graph, topological order, and removal of what nobody reads.
#include "ir/graph.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::ir {
namespace {

template <typename T>
T get(const Node& node, std::string_view attribute, T otherwise, std::string_view type) {
  const Attribute* found = node.find(attribute);
  if (found == nullptr) return otherwise;
  if (const T* value = std::get_if<T>(found)) return *value;
  bad_input("node '{}' ({}): attribute '{}' is not {}", node.name, node.op, attribute, type);
}

}  // namespace

const Attribute* Node::find(std::string_view attribute) const {
  const auto found = attributes.find(std::string(attribute));
  return found == attributes.end() ? nullptr : &found->second;
}

int64_t Node::get_int(std::string_view attribute, int64_t otherwise) const {
  return get<int64_t>(*this, attribute, otherwise, "an integer");
}

float Node::get_float(std::string_view attribute, float otherwise) const {
  return get<float>(*this, attribute, otherwise, "a float");
}

std::string Node::get_string(std::string_view attribute, std::string_view otherwise) const {
  return get<std::string>(*this, attribute, std::string(otherwise), "a string");
}

std::vector<int64_t> Node::get_ints(std::string_view attribute, std::vector<int64_t> otherwise) const {
  return get<std::vector<int64_t>>(*this, attribute, std::move(otherwise), "a list of integers");
}

ValueId Graph::add_value(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::add_input(std::string name, DType dtype, Shape shape) {
  const ValueId id = add_value({std::move(name), dtype, std::move(shape), std::nullopt});
  inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string name, Tensor tensor) {
  const DType dtype = tensor.dtype();
  Shape shape = tensor.shape();
  return add_value({std::move(name), dtype, std::move(shape), std::move(tensor)});
}

ValueId Graph::add_node(std::string op, std::string node_name, std::vector<ValueId> node_inputs,
                        std::map<std::string, Attribute> attributes, std::string domain) {
  const ValueId output = add_value({node_name + "_output_0", DType::kF32, std::nullopt, std::nullopt});
  nodes.push_back({std::move(op),
                   std::move(domain),
                   std::move(node_name),
                   std::move(node_inputs),
                   {output},
                   std::move(attributes)});
  return output;
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == kNoValue) return nullptr;
  const Value& found = value(id);
  return found.constant ? &*found.constant : nullptr;
}

ValueId Graph::find_value(std::string_view value_name) const {
  for (size_t i = 0; i < values_.size(); ++i)
    if (values_[i].name == value_name) return static_cast<ValueId>(i);
  return kNoValue;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::compact() {
  // Backwards over the topological order: a node lives if somebody alive reads one of its outputs.
  std::vector<bool> alive(values_.size(), false);
  const auto mark = [&](const std::vector<ValueId>& ids) {
    for (ValueId id : ids)
      if (id != kNoValue) alive[static_cast<size_t>(id)] = true;
  };
  mark(outputs);
  std::vector<bool> kept(nodes.size(), false);
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = nodes[i];
    kept[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                          [&](ValueId id) { return id != kNoValue && alive[static_cast<size_t>(id)]; });
    if (!kept[i]) continue;
    mark(node.inputs);
    mark(node.outputs);
  }
  mark(inputs);

  std::vector<ValueId> renumbered(values_.size(), kNoValue);
  ValueId count = 0;
  for (size_t i = 0; i < values_.size(); ++i)
    if (alive[i]) renumbered[i] = count++;
  // In place, as large graphs take much memory: erase_if looks at each where it stood.
  std::erase_if(nodes, [&](const Node& node) { return !kept[static_cast<size_t>(&node - nodes.data())]; });
  std::erase_if(values_, [&](const Value& value) { return !alive[static_cast<size_t>(&value - values_.data())]; });
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids)
      if (id != kNoValue) id = renumbered[static_cast<size_t>(id)];
  };
  renumber(inputs);
  renumber(outputs);
  for (Node& node : nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
}

Uses::Uses(const Graph& graph)
    : producer_(graph.value_count(), -1), readers_(graph.value_count()), is_output_(graph.value_count(), false) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId id : graph.nodes[i].inputs)
      if (id != kNoValue) readers_[static_cast<size_t>(id)].push_back(static_cast<int>(i));
    for (ValueId id : graph.nodes[i].outputs)
      if (id != kNoValue) producer_[static_cast<size_t>(id)] = static_cast<int>(i);
  }
  for (ValueId id : graph.outputs) is_output_[static_cast<size_t>(id)] = true;
}

int Uses::sole_reader(ValueId id) const {
  const auto& readers = this->readers(id);
  return readers.size() == 1 && !is_output(id) ? readers.front() : -1;
}

void Uses::remove_reader(ValueId id, int node) {
  auto& readers = readers_.at(static_cast<size_t>(id));
  if (const auto found = std::find(readers.begin(), readers.end(), node); found != readers.end()) readers.erase(found);
}

Node* sole_producer(Graph& graph, const Uses& uses, ValueId id) {
  if (id == kNoValue || uses.producer(id) < 0 || uses.sole_reader(id) < 0) return nullptr;
  return &graph.nodes[static_cast<size_t>(uses.producer(id))];
}

std::vector<Node*> producers_before(Graph& graph, const Uses& uses, Node& last) {
  if (!last.is("Concat")) return {&last};
  std::vector<Node*> producers;
  for (const ValueId part : last.inputs) producers.push_back(sole_producer(graph, uses, part));
  return producers;
}

}  // namespace effdet::ir
