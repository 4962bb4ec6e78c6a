// Renames values of graphs inside nodes, so that names mean one thing.
#include "onnx/subgraph.h"

namespace effdet::onnx {
namespace {

/// The values that a graph itself defines, without those of graphs inside it.
std::set<std::string> own_names(const pb::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  for (const auto& node : graph.node())
    for (const std::string& output : node.output()) names.insert(output);
  names.erase("");
  return names;
}

void rename(std::string& name, const Renames& renames) {
  if (const auto found = renames.find(name); found != renames.end()) name = found->second;
}

void rename_own(pb::GraphProto& graph, const Renames& renames) {
  for (auto& input : *graph.mutable_input()) rename(*input.mutable_name(), renames);
  for (auto& tensor : *graph.mutable_initializer()) rename(*tensor.mutable_name(), renames);
  for (auto& tensor : *graph.mutable_sparse_initializer()) rename(*tensor.mutable_values()->mutable_name(), renames);
  for (auto& value : *graph.mutable_value_info()) rename(*value.mutable_name(), renames);
  for (auto& node : *graph.mutable_node())
    for (std::string& output : *node.mutable_output()) rename(output, renames);
}

void rename_in(pb::GraphProto& graph, const Renames& renames, bool own_too) {
  Renames visible = renames;
  if (own_too) {
    rename_own(graph, renames);
  } else {
    for (const std::string& name : own_names(graph)) visible.erase(name);
  }
  for (auto& node : *graph.mutable_node()) {
    for (std::string& input : *node.mutable_input()) rename(input, visible);
    for (auto& attribute : *node.mutable_attribute()) rename_values(attribute, visible, own_too);
  }
  for (auto& output : *graph.mutable_output()) rename(*output.mutable_name(), visible);
}

}  // namespace

void collect_names(const pb::GraphProto& graph, InnerNames& names) {
  const std::set<std::string> own = own_names(graph);
  InnerNames inner;
  for (const auto& node : graph.node()) {
    for (const std::string& input : node.input()) inner.captured.insert(input);
    for (const auto& attribute : node.attribute()) collect_names(attribute, inner);
  }
  for (const auto& output : graph.output()) inner.captured.insert(output.name());
  inner.captured.erase("");
  for (const std::string& name : inner.captured)
    if (!own.contains(name)) names.captured.insert(name);
  names.defined.insert(own.begin(), own.end());
  names.defined.merge(inner.defined);
}

void collect_names(const pb::AttributeProto& attribute, InnerNames& names) {
  for_each_graph(attribute, [&](const pb::GraphProto& graph) { collect_names(graph, names); });
}

void rename_values(pb::AttributeProto& attribute, const Renames& renames, bool own_too) {
  for_each_graph(attribute, [&](pb::GraphProto& graph) { rename_in(graph, renames, own_too); });
}

}  // namespace effdet::onnx
