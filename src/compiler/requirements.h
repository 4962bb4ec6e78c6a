// What a graph must fulfil to be compiled. Each throws the error that says what to do.
#pragma once

#include "ir/graph.h"

namespace effdet::compiler {

/// Inputs have known shapes. Throws Error(kBadInput) with an example for --input_shape.
void require_static_shapes(const ir::Graph& graph);
/// Something runs every operator. Throws Error(kUnsupported).
void require_supported(const ir::Graph& graph);
/// Nodes that read known shapes make known shapes. Throws Error(kBadInput).
void require_known_sizes(const ir::Graph& graph);

}  // namespace effdet::compiler
