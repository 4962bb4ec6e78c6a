// Graphs inside nodes (the branches of an If, the body of a Loop): the names that they share with what is around them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <type_traits>

#include "onnx/model_file.h"

namespace effdet::onnx {

/// Names that the graphs of an attribute use.
struct InnerNames {
  std::set<std::string> captured;  ///< values around the node that they read
  std::set<std::string> defined;   ///< values of their own, on all levels
};

/// Adds the names of the attribute's graphs, if it has any. Nesting is bounded by protobuf's parser.
void collect_names(const pb::AttributeProto& attribute, InnerNames& names);
void collect_names(const pb::GraphProto& graph, InnerNames& names);

/// New names for values, by the old ones.
using Renames = std::map<std::string, std::string>;

/// Makes the attribute's graphs read values around the node under new names. A graph's own value of such a name stays,
/// unless `own_too` says that these are renamed as well.
void rename_values(pb::AttributeProto& attribute, const Renames& renames, bool own_too = false);

/// Calls f(GraphProto&) for each graph that the attribute holds itself.
template <typename Attribute, typename F>
void for_each_graph(Attribute& attribute, F&& f) {
  if constexpr (std::is_const_v<Attribute>) {
    if (attribute.has_g()) f(attribute.g());
    for (const auto& graph : attribute.graphs()) f(graph);
  } else {
    if (attribute.has_g()) f(*attribute.mutable_g());
    for (auto& graph : *attribute.mutable_graphs()) f(graph);
  }
}

}  // namespace effdet::onnx
