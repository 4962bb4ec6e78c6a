// Finds nodes and values by name and edits them as a command's text says.
#include "passes/surgery.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "base/error.h"
#include "ops/op.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

size_t node_named(const ir::Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &ir::Node::name);
  if (found == graph.nodes.end()) fail(ErrorCode::kUsage, "the model has no node '{}'", name);
  return static_cast<size_t>(found - graph.nodes.begin());
}

ir::ValueId node_output(const ir::Graph& graph, const std::string& node, size_t output) {
  const auto found = std::ranges::find(graph.nodes, node, &ir::Node::name);
  return found == graph.nodes.end() || output >= found->outputs.size() ? ir::kNoValue : found->outputs[output];
}

/// A whole number or nothing; `text` as a whole.
std::optional<int64_t> whole_number(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// A number ("-inf" and "nan" too), or nothing. from_chars does not depend on the locale.
std::optional<double> number(const std::string& text) {
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// "1,2,3" or "[1,2,3]".
std::vector<std::string> list_of(std::string text) {
  if (text.starts_with('[') && text.ends_with(']') && text.size() >= 2) text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  for (size_t begin = 0; begin <= text.size() && !text.empty();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    items.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

template <typename T>
T parse(const std::string& text, const std::string& what) {
  if constexpr (std::is_same_v<T, int64_t>) {
    if (const auto value = whole_number(text)) return *value;
  } else {
    if (const auto value = number(text)) return static_cast<T>(*value);
  }
  fail(ErrorCode::kUsage, "{}: '{}' is no {}", what, text, std::is_same_v<T, int64_t> ? "whole number" : "number");
}

template <typename T>
std::vector<T> parse_list(const std::string& text, const std::string& what) {
  std::vector<T> values;
  for (const std::string& item : list_of(text)) values.push_back(parse<T>(item, what));
  return values;
}

template <typename T>
Tensor tensor_of(const Tensor& like, const std::string& text, const std::string& what) {
  std::vector<T> values = parse_list<T>(text, what);
  if (values.size() == 1) values.assign(static_cast<size_t>(like.numel()), values[0]);
  if (static_cast<int64_t>(values.size()) != like.numel())
    fail(ErrorCode::kUsage, "{}: {} numbers for shape {}", what, values.size(), shape_text(like.shape()));
  return Tensor::from<T>(like.shape(), values).to(like.dtype());
}

/// Sets the value in the type of the alternative that is there.
struct AttributeParser {
  const std::string& text;
  const std::string& what;

  ir::Attribute operator()(int64_t) const { return parse<int64_t>(text, what); }
  ir::Attribute operator()(float) const { return parse<float>(text, what); }
  ir::Attribute operator()(const std::string&) const { return text; }
  ir::Attribute operator()(const std::vector<int64_t>&) const { return parse_list<int64_t>(text, what); }
  ir::Attribute operator()(const std::vector<float>&) const { return parse_list<float>(text, what); }
  ir::Attribute operator()(const std::vector<std::string>&) const { return list_of(text); }
  ir::Attribute operator()(const std::shared_ptr<const ir::OpaqueAttribute>&) const {
    fail(ErrorCode::kUsage, "{}: it holds no number, list or word, and cannot be set", what);
  }
  ir::Attribute operator()(const Tensor& like) const {
    return like.dtype() == DType::kF32 || like.dtype() == DType::kF64 ? tensor_of<double>(like, text, what)
                                                                      : tensor_of<int64_t>(like, text, what);
  }
};

ir::Attribute guess_attribute(const std::string& text) {
  if (const auto value = whole_number(text)) return *value;
  if (const auto value = number(text)) return static_cast<float>(*value);
  if (!text.starts_with('[') || !text.ends_with(']')) return text;
  const auto items = list_of(text);
  if (std::ranges::all_of(items, [](const auto& item) { return whole_number(item).has_value(); }))
    return parse_list<int64_t>(text, "");
  if (std::ranges::all_of(items, [](const auto& item) { return number(item).has_value(); }))
    return parse_list<float>(text, "");
  return items;
}

void finish(ir::Graph& graph) {
  graph.compact();
  ir::verify(graph);
  ops::infer_shapes(graph);
}

/// Inputs that neither a node nor the caller reads.
void drop_unread_inputs(ir::Graph& graph) {
  graph.compact();
  const ir::Uses uses(graph);
  std::erase_if(graph.inputs, [&](ir::ValueId id) { return uses.readers(id).empty() && !uses.is_output(id); });
}

std::vector<ir::ValueId> find_tensors(const ir::Graph& graph, const std::vector<std::string>& names) {
  std::vector<ir::ValueId> ids;
  for (const std::string& name : names) ids.push_back(find_tensor(graph, name));
  return ids;
}

/// Makes a value a graph input: the node that made it makes it no longer.
void cut(ir::Graph& graph, ir::ValueId id) {
  if (std::ranges::find(graph.inputs, id) != graph.inputs.end()) return;
  if (graph.constant(id) != nullptr)
    fail(ErrorCode::kUsage, "'{}' is a constant and cannot become an input", graph.value(id).name);
  if (graph.value(id).dtype == DType::kUnknown && !graph.value(id).declared)
    fail(ErrorCode::kUsage, "'{}' cannot become an input: its type is not known", graph.value(id).name);
  // A node keeps its first output, which names it; where that is cut off and others are read, it gets a new one.
  for (ir::Node& node : graph.nodes)
    if (!node.outputs.empty() && node.outputs[0] == id)
      node.outputs[0] = graph.add_value({unique_name(graph, graph.value(id).name + "_unread"), DType::kUnknown});
    else
      std::ranges::replace(node.outputs, id, ir::kNoValue);
  graph.inputs.push_back(id);
}

}  // namespace

ir::ValueId find_tensor(const ir::Graph& graph, const std::string& name) {
  ir::ValueId id = graph.find_value(name);
  if (id == ir::kNoValue) id = node_output(graph, name, 0);
  const size_t colon = name.rfind(':');
  if (id == ir::kNoValue && colon != std::string::npos)
    if (const auto index = whole_number(name.substr(colon + 1)); index && *index >= 0)
      id = node_output(graph, name.substr(0, colon), static_cast<size_t>(*index));
  if (id == ir::kNoValue) fail(ErrorCode::kUsage, "the model has no tensor '{}'", name);
  return id;
}

void set_initializer(ir::Graph& graph, const std::string& name, const std::string& text) {
  const ir::ValueId id = graph.find_value(name);
  const Tensor* old = graph.constant(id);
  if (old == nullptr) fail(ErrorCode::kUsage, "the model has no initializer '{}'", name);
  const bool floats = old->dtype() == DType::kF32 || old->dtype() == DType::kF64 || old->dtype() == DType::kF16 ||
                      old->dtype() == DType::kBF16;
  const std::string what = fmt::format("initializer '{}'", name);
  graph.value(id).constant = floats ? tensor_of<double>(*old, text, what) : tensor_of<int64_t>(*old, text, what);
  finish(graph);
}

void set_attribute(ir::Graph& graph, const std::string& node, const std::string& attribute, const std::string& text) {
  ir::Node& found = graph.nodes[node_named(graph, node)];
  const ir::Attribute* old = found.find(attribute);
  const std::string what = fmt::format("attribute '{}' of node '{}'", attribute, node);
  found.attributes[attribute] = old == nullptr ? guess_attribute(text) : std::visit(AttributeParser{text, what}, *old);
  finish(graph);
}

void rename(ir::Graph& graph, const std::string& from, const std::string& to) {
  if (to.empty() || graph.is_taken(to))
    fail(ErrorCode::kUsage, "'{}' cannot be renamed: the name '{}' is {}", from, to, to.empty() ? "empty" : "taken");
  const ir::ValueId id = graph.find_value(from);
  if (id != ir::kNoValue) {
    graph.value(id).name = to;
  } else {
    if (std::ranges::find(graph.nodes, to, &ir::Node::name) != graph.nodes.end())
      fail(ErrorCode::kUsage, "'{}' cannot be renamed: there is a node '{}' already", from, to);
    graph.nodes[node_named(graph, from)].name = to;
  }
}

void remove_node(ir::Graph& graph, const std::string& name) {
  ir::Node& node = graph.nodes[node_named(graph, name)];
  if (node.inputs.size() == node.captures.size() || node.inputs[0] == ir::kNoValue || node.outputs[0] == ir::kNoValue)
    fail(ErrorCode::kUsage, "node '{}' has no input that could stand for its output", name);
  const ir::ValueId in = node.inputs[0], out = node.outputs[0];
  const bool is_output = std::ranges::find(graph.outputs, out) != graph.outputs.end();
  for (ir::Node& reader : graph.nodes) std::ranges::replace(reader.inputs, out, in);
  if (is_output) node = {"Identity", "", node.name, {in}, {out}, {}};
  finish(graph);
}

void insert_identity(ir::Graph& graph, const std::string& tensor, const std::string& name) {
  const ir::ValueId id = find_tensor(graph, tensor);
  if (std::ranges::find(graph.nodes, name, &ir::Node::name) != graph.nodes.end())
    fail(ErrorCode::kUsage, "there is a node '{}' already", name);
  const ir::ValueId copy = graph.add_value({unique_name(graph, name + "_output_0"), DType::kUnknown});
  for (ir::Node& reader : graph.nodes) std::ranges::replace(reader.inputs, id, copy);
  const auto place = std::ranges::find_if(
      graph.nodes, [&](const ir::Node& node) { return std::ranges::find(node.inputs, copy) != node.inputs.end(); });
  if (place == graph.nodes.end()) fail(ErrorCode::kUsage, "no node reads '{}'", tensor);
  graph.nodes.insert(place, {"Identity", "", name, {id}, {copy}, {}});
  finish(graph);
}

void add_outputs(ir::Graph& graph, const std::vector<std::string>& names) {
  for (ir::ValueId id : find_tensors(graph, names))
    if (std::ranges::find(graph.outputs, id) == graph.outputs.end()) graph.outputs.push_back(id);
  finish(graph);
}

void add_all_outputs(ir::Graph& graph) {
  std::set<ir::ValueId> known(graph.outputs.begin(), graph.outputs.end());
  for (const ir::Node& node : graph.nodes)
    if (node.outputs[0] != ir::kNoValue && known.insert(node.outputs[0]).second)
      graph.outputs.push_back(node.outputs[0]);
  finish(graph);
}

bool set_scalar(ir::Graph& graph, const std::string& name, float value) {
  const ir::ValueId id = graph.find_value(name);
  if (graph.constant(id) == nullptr) return false;
  ir::Value& found = graph.value(id);
  found.constant = Tensor::scalar(value);
  found.dtype = DType::kF32;
  found.shape = Shape{};
  return true;
}

void extract(ir::Graph& graph, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  const std::vector<ir::ValueId> from = find_tensors(graph, inputs);
  if (!outputs.empty()) graph.outputs = find_tensors(graph, outputs);
  for (ir::ValueId id : from) cut(graph, id);
  drop_unread_inputs(graph);
  finish(graph);
}

void apply(ir::Graph& graph, const GraphEdits& edits) {
  for (const auto& [name, text] : edits.initializers) set_initializer(graph, name, text);
  for (const auto& [node, attribute, value] : edits.attributes) set_attribute(graph, node, attribute, value);
  for (const std::string& node : edits.removed_nodes) remove_node(graph, node);
  for (const auto& [tensor, node] : edits.identities) insert_identity(graph, tensor, node);
  extract(graph, edits.extract_from, edits.outputs);
  add_outputs(graph, edits.extra_outputs);
  if (edits.all_outputs) add_all_outputs(graph);
  for (const auto& [from, to] : edits.renames) rename(graph, from, to);
}

}  // namespace effdet::passes
