// What nodes hold of a file as it was there, because graphs have no words for it.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace effdet::ir {

/// Whether an attribute is one that only its operator understands: a graph, a type...
bool has_opaque_attribute(const Node& node);

/// Whether any node holds messages. They may need the version of ONNX's format that they came in.
bool holds_messages(const Graph& graph);

/// The name of an element type that tensors do not have (int4, float8e4m3fn, string...) by ONNX's number for it; empty
/// for all others. Some are younger than the library's copy of onnx.proto.
std::string_view other_type_name(int64_t code);

/// The name of the element type of a value whose type is not known, as far as the file says it; else "unknown".
std::string other_type_name(const Value& value);

}  // namespace effdet::ir
