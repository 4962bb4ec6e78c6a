// Values of a graph by their names.
#pragma once

#include <string_view>
#include <unordered_map>

#include "ir/graph.h"

namespace effdet::quantize {

/// For more than a few look-ups, each of which ir::Graph::find_value() would go through all values for. Refers to the
/// graph, and is valid until that changes.
class ValueNames {
 public:
  explicit ValueNames(const ir::Graph& graph) {
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const auto id = static_cast<ir::ValueId>(i);
      ids_.emplace(graph.value(id).name, id);
    }
  }

  /// kNoValue where no value has the name.
  ir::ValueId find(std::string_view name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? ir::kNoValue : found->second;
  }

 private:
  std::unordered_map<std::string_view, ir::ValueId> ids_;
};

}  // namespace effdet::quantize
