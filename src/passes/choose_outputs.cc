// Makes other values the outputs, and drops what nobody reads then.
#include "passes/choose_outputs.h"

#include "base/error.h"

namespace effdet::passes {

void choose_outputs(ir::Graph& graph, const std::vector<std::string>& names) {
  if (names.empty()) return;
  graph.outputs.clear();
  for (const std::string& name : names) {
    const ir::ValueId id = graph.find_value(name);
    if (id == ir::kNoValue) fail(ErrorCode::kUsage, "the model has no tensor '{}' to give out", name);
    graph.outputs.push_back(id);
  }
  graph.compact();
}

}  // namespace effdet::passes
