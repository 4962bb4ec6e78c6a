// Windows of ONNX's operators as the attributes of fused ones.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace effdet::compiler {

/// kernel_shape, strides and pads of a 2-d window, or nothing where it is dilated, not 2-d or beyond the fused limits.
std::optional<std::map<std::string, ir::Attribute>> window_attributes(const ir::Graph& graph, const ir::Node& node,
                                                                      std::vector<int64_t> kernel);

/// The same for a pool whose output has a known shape. With ceil_mode the pads at the end are as large as its windows
/// reach.
std::optional<std::map<std::string, ir::Attribute>> pool_attributes(const ir::Graph& graph, const ir::Node& pool);

}  // namespace effdet::compiler
