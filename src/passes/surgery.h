// Changes to a graph that people ask for by name, for models that need mending. Unlike the passes these may change what
// the graph computes. Shapes are inferred on return. Names that the graph does not have are Error(kUsage).
#pragma once

#include <string>
#include <vector>

#include "effdet/onnx_options.h"
#include "ir/graph.h"

namespace effdet::passes {

/// Applies all edits, in the order of GraphEdits.
void apply(ir::Graph& graph, const GraphEdits& edits);

/// The value called `name`, or output I of a node for "node:I" and of its first output for "node".
ir::ValueId find_tensor(const ir::Graph& graph, const std::string& name);

/// Gives an initializer new numbers, its type and shape kept: one number for all elements, or "1,2,3" with one for
/// each. Throws Error(kUsage) for text that is no such list.
void set_initializer(ir::Graph& graph, const std::string& name, const std::string& text);

/// Replaces an initializer by a float32 scalar; false where there is none of that name. Shapes are not inferred anew.
bool set_scalar(ir::Graph& graph, const std::string& name, float value);

/// Sets an attribute, in the type that it has; one that the node does not have yet becomes an integer, a float, a list
/// of either ("[1,1]") or a string, as the text looks.
void set_attribute(ir::Graph& graph, const std::string& node, const std::string& attribute, const std::string& text);

/// Another name for a tensor, or for a node where no tensor is called so. Throws Error(kUsage) for a name that is
/// taken.
void rename(ir::Graph& graph, const std::string& from, const std::string& to);

/// Takes a node out: who read its first output reads its first input. A graph output keeps its name, through an
/// Identity in the node's place.
void remove_node(ir::Graph& graph, const std::string& name);

/// Puts an Identity, which is called `node`, after a tensor; all its readers read what that makes. Graph outputs stay.
void insert_identity(ir::Graph& graph, const std::string& tensor, const std::string& node);

/// More outputs, after those that there are; those that are outputs already are left out.
void add_outputs(ir::Graph& graph, const std::vector<std::string>& names);
/// Every node's first output as a graph output.
void add_all_outputs(ir::Graph& graph);

/// The part from some tensors, which become inputs, to others, which become the outputs in this order. Old inputs stay
/// where that part reads them. Empty lists leave inputs or outputs as they are. Throws Error(kUsage) for a constant as
/// an input.
void extract(ir::Graph& graph, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);

}  // namespace effdet::passes
