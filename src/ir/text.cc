// Graphs as text, for tests, logs and dumps.
#include <fmt/format.h>

#include "ir/graph.h"

namespace effdet::ir {
namespace {

std::string attribute_text(const Attribute& attribute) {
  struct Printer {
    std::string operator()(int64_t value) const { return std::to_string(value); }
    std::string operator()(float value) const { return fmt::format("{}", value); }
    std::string operator()(const std::string& value) const { return fmt::format("\"{}\"", value); }
    std::string operator()(const std::vector<int64_t>& values) const {
      return fmt::format("[{}]", fmt::join(values, ","));
    }
    std::string operator()(const std::vector<float>& values) const {
      return fmt::format("[{}]", fmt::join(values, ","));
    }
    std::string operator()(const std::vector<std::string>& values) const {
      return fmt::format("[\"{}\"]", fmt::join(values, "\",\""));
    }
    std::string operator()(const Tensor& value) const {
      return fmt::format("{}[{}]", dtype_name(value.dtype()), shape_text(value.shape()));
    }
    std::string operator()(const std::shared_ptr<const OpaqueAttribute>&) const { return "..."; }
  };
  return std::visit(Printer{}, attribute);
}

std::string value_text(const Graph& graph, ValueId id, bool with_type) {
  if (id == kNoValue) return "_";
  const Value& value = graph.value(id);
  if (!with_type) return "%" + value.name;
  return fmt::format("%{}:{}[{}]", value.name, dtype_name(value.dtype), value.shape ? shape_text(*value.shape) : "*");
}

std::string list_text(const Graph& graph, const std::vector<ValueId>& ids, bool with_type) {
  std::string text;
  for (ValueId id : ids) text += (text.empty() ? "" : ", ") + value_text(graph, id, with_type);
  return text;
}

std::string node_text(const Graph& graph, const Node& node) {
  std::string text = fmt::format("{} = {}{}{}({})", list_text(graph, node.outputs, true), node.domain,
                                 node.domain.empty() ? "" : "::", node.op, list_text(graph, node.inputs, false));
  std::string attributes;
  for (const auto& [name, attribute] : node.attributes)
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : " ", name, attribute_text(attribute));
  if (!attributes.empty()) text += " {" + attributes + "}";
  if (!node.name.empty()) text += "  // " + node.name;
  return text;
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text =
      fmt::format("graph {} opset {} ({})\n", graph.name, graph.opset, list_text(graph, graph.inputs, true));
  for (const Node& node : graph.nodes) text += "  " + node_text(graph, node) + "\n";
  return text + "  return " + list_text(graph, graph.outputs, false) + "\n";
}

}  // namespace effdet::ir
