// What nodes hold of a file as it was there, because graphs have no words for it.
#pragma once

#include "ir/graph.h"

namespace effdet::ir {

/// Whether an attribute is one that only its operator understands: a graph, a type...
bool has_opaque_attribute(const Node& node);

/// Whether any node holds messages. They may need the version of ONNX's format that they came in.
bool holds_messages(const Graph& graph);

}  // namespace effdet::ir
