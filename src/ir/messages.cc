// Tells whether nodes or graphs keep parts of a file as messages.
#include "ir/messages.h"

#include <algorithm>

namespace effdet::ir {

bool has_opaque_attribute(const Node& node) {
  return std::ranges::any_of(node.attributes, [](const auto& entry) {
    return std::holds_alternative<std::shared_ptr<const OpaqueAttribute>>(entry.second);
  });
}

bool holds_messages(const Graph& graph) {
  return std::ranges::any_of(graph.nodes,
                             [](const Node& node) { return node.extra != nullptr || has_opaque_attribute(node); });
}

}  // namespace effdet::ir
