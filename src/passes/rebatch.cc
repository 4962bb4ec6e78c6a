// Changes the batch in an input's shape and in the constants that were computed from it.
#include "passes/rebatch.h"

#include <algorithm>

#include "base/error.h"
#include "ops/op.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// The input of a node that holds a shape as a list, or -1.
int shape_input(const ir::Node& node) {
  if (node.is("Reshape") || node.is("Expand")) return 1;
  return node.is("Resize") && node.inputs.size() > 3 ? 3 : -1;
}

int64_t leading_dim(const ir::Graph& graph, ir::ValueId id) {
  const auto& shape = graph.value(id).shape;
  return shape && !shape->empty() ? shape->front() : -1;
}

/// Gives the node a list of its own: the constant may be shared with nodes to which it means something else.
void put_list(ir::Graph& graph, UniqueNames& names, ir::Node& node, int input, const std::vector<int64_t>& list) {
  Tensor tensor = Tensor::from<int64_t>({static_cast<int64_t>(list.size())}, list);
  node.inputs[static_cast<size_t>(input)] = graph.add_constant(names.make(node.name + ".shape"), std::move(tensor));
}

void patch_batch(ir::Graph& graph, UniqueNames& names, ir::Node& node, int64_t from, int64_t to) {
  const int input = shape_input(node);
  if (input < 0) return;
  auto list = int_constant(graph, node.inputs[static_cast<size_t>(input)]);
  const bool carries = leading_dim(graph, node.outputs[0]) == from && graph.constant(node.inputs[0]) == nullptr &&
                       (node.is("Expand") || leading_dim(graph, node.inputs[0]) == from);
  if (!carries || !list || list->empty() || list->front() != from) return;
  list->front() = to;
  put_list(graph, names, node, input, *list);
}

/// What a file declares of its outputs, and of what an operator makes that is not known, held for the old shape.
void forget_declared_shapes(ir::Graph& graph) {
  for (ir::ValueId id : graph.outputs)
    if (graph.value(id).dtype != DType::kUnknown) graph.value(id).declared.reset();
  for (const ir::Node& node : graph.nodes)
    if (node.opaque)
      for (ir::ValueId id : node.outputs)
        if (id != ir::kNoValue) {
          graph.value(id).shape.reset();
          graph.value(id).declared.reset();
        }
}

ir::ValueId input_named(const ir::Graph& graph, const std::string& name) {
  for (ir::ValueId id : graph.inputs)
    if (graph.value(id).name == name) return id;
  fail(ErrorCode::kUsage, "the model has no input '{}'", name);
}

/// Infers shapes anew; a contradiction means that the old shape is baked into the graph.
void infer_for(ir::Graph& graph, const std::string& name, const Shape& shape) {
  try {
    ops::infer_shapes(graph);
  } catch (const Error& error) {
    fail(ErrorCode::kUnsupported, "the model does not fit input '{}' of shape {}: {}; export it with that shape", name,
         shape_text(shape), error.what());
  }
}

/// Scales the spatial sizes of a Resize; returns false where they do not divide.
bool scale_sizes(ir::Graph& graph, UniqueNames& names, ir::Node& node, const Shape& from, const Shape& to) {
  if (!node.is("Resize") || node.inputs.size() < 4) return true;
  auto sizes = int_constant(graph, node.inputs[3]);
  if (!sizes || sizes->size() != 4) return true;
  for (size_t axis = 2; axis < 4; ++axis) {
    const int64_t scaled = (*sizes)[axis] * to[axis];
    if (scaled % from[axis] != 0) return false;
    (*sizes)[axis] = scaled / from[axis];
  }
  put_list(graph, names, node, 3, *sizes);
  return true;
}

}  // namespace

void set_input_shape(ir::Graph& graph, const std::string& name, const Shape& shape) {
  const ir::ValueId id = input_named(graph, name);
  const auto old = graph.value(id).shape;
  if (old && old->size() != shape.size())
    fail(ErrorCode::kUsage, "input '{}' has {} dimensions, not {}", name, old->size(), shape.size());
  if (std::ranges::any_of(shape, [](int64_t dim) { return dim < 1; }))
    fail(ErrorCode::kUsage, "input '{}' cannot have shape {}", name, shape_text(shape));
  const bool rebatch = old && !shape.empty() && old->front() > 0 && old->front() != shape.front();
  std::vector<ir::ValueId> batched;  // outputs that must follow
  if (rebatch) {
    ops::infer_shapes(graph);
    for (ir::ValueId output : graph.outputs)
      if (leading_dim(graph, output) == old->front()) batched.push_back(output);
    UniqueNames names(graph);
    for (ir::Node& node : graph.nodes) patch_batch(graph, names, node, old->front(), shape.front());
  }
  graph.value(id).shape = shape;
  if (old != shape) forget_declared_shapes(graph);
  infer_for(graph, name, shape);
  for (ir::ValueId output : batched)
    if (const int64_t batch = leading_dim(graph, output); batch != shape.front() && batch != -1)
      fail(ErrorCode::kUnsupported, "output '{}' does not follow input '{}' to a batch of {}", graph.value(output).name,
           name, shape.front());
}

void set_input_size(ir::Graph& graph, const std::string& name, int64_t height, int64_t width) {
  const ir::ValueId id = input_named(graph, name);
  const auto old = graph.value(id).shape;
  if (!is_static(old) || old->size() != 4 || (*old)[2] < 1 || (*old)[3] < 1)
    fail(ErrorCode::kUsage, "input '{}' is no image of fixed size", name);
  const Shape shape{(*old)[0], (*old)[1], height, width};
  UniqueNames names(graph);
  for (ir::Node& node : graph.nodes)
    if (!scale_sizes(graph, names, node, *old, shape))
      fail(ErrorCode::kUnsupported, "{}: its sizes do not scale to {}", ops::node_label(node), shape_text(shape));
  set_input_shape(graph, name, shape);
}

}  // namespace effdet::passes
