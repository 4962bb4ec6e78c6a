// Types, shapes and layouts of all values of a graph, and the shape arithmetic among them.
#include <algorithm>
#include <limits>
#include <map>

#include "base/checked.h"
#include "ir/messages.h"
#include "ops/cost.h"
#include "ops/shape_walk.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Shape arithmetic works on a handful of numbers; anything larger is data.
constexpr int64_t kMaxTracked = 64;
/// Bytes of all of them: a hostile graph has a million nodes.
constexpr size_t kMaxTrackedBytes = size_t{16} << 20;

bool is_static(const std::optional<Shape>& shape) {
  return shape && checked_numel(*shape).has_value();  // a negative dimension is unknown
}

bool is_small(const Inferred& output) {
  return is_static(output.shape) && *checked_numel(*output.shape) <= static_cast<uint64_t>(kMaxTracked);
}

/// Operators that move numbers and never look at them, so that symbols may be among those numbers.
bool moves_numbers(const ir::Node& node) {
  constexpr std::string_view kMoving[] = {"Concat", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze"};
  return node.domain.empty() && std::ranges::find(kMoving, node.op) != std::end(kMoving);
}

bool holds_symbols(const Tensor& tensor) {
  return tensor.dtype() == DType::kI64 && std::ranges::any_of(tensor.data<int64_t>(), is_dim_symbol);
}

}  // namespace

void ShapeWalk::visit(ir::Node& node) {
  node.opaque = find_operator(node.domain, node.op) == nullptr;
  try {
    if (!node.opaque) visit_supported(node);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    node.opaque = true;
  }
}

void ShapeWalk::visit_supported(const ir::Node& node) {
  std::vector<InputInfo> infos;
  for (ir::ValueId id : node.inputs) infos.push_back(info(id));
  for (ir::ValueId id : node.inputs) {
    if (id == ir::kNoValue || graph_.value(id).dtype != DType::kUnknown) continue;
    operator_of(node, graph_.opset);
    fail(ErrorCode::kUnsupported, "{}: the type of '{}' ({}) is not supported", node_label(node), graph_.value(id).name,
         ir::other_type_name(graph_.value(id)));
  }
  const std::vector<Inferred> outputs = infer_node(node, graph_.opset, infos);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == ir::kNoValue) continue;
    ir::Value& value = graph_.value(node.outputs[i]);
    value.dtype = outputs[i].dtype;
    value.shape = outputs[i].shape;
    value.layout = outputs[i].layout.value_or(value.layout);
  }
  if (node.outputs.size() == 1 && is_small(outputs[0]) && !is_heavy(node)) track(node, infos);
}

InputInfo ShapeWalk::info(ir::ValueId id) const {
  if (id == ir::kNoValue) return {};
  const ir::Value& value = graph_.value(id);
  if (value.constant) return {true, value.constant->dtype(), value.constant->shape(), &*value.constant};
  const auto find = [&](const std::map<ir::ValueId, Tensor>& map) {
    const auto found = map.find(id);
    return found == map.end() ? nullptr : &found->second;
  };
  return {true, value.dtype, value.shape, find(values_.whole), find(values_.partial), value.layout};
}

/// Computes the node's output where its inputs are known, or known in part and only moved.
void ShapeWalk::track(const ir::Node& node, std::span<const InputInfo> infos) {
  const ir::ValueId out = node.outputs[0];
  if (node.is("Shape") && infos[0].shape) return keep(out, shape_of(node, *infos[0].shape), true);
  if (node.is("Size") && is_static(infos[0].shape))
    return keep(out, Tensor::scalar(static_cast<int64_t>(*checked_numel(*infos[0].shape))), false);
  std::vector<const Tensor*> inputs;
  bool partial = false;
  for (size_t i = 0; i < infos.size(); ++i) {
    const bool data = i == 0 || node.is("Concat");  // other inputs say where to: indices, axes
    const Tensor* tensor = infos[i].value;
    if (tensor == nullptr && data && moves_numbers(node)) {
      tensor = infos[i].partial;
      partial = partial || tensor != nullptr;
    }
    if (infos[i].present && (tensor == nullptr || tensor->numel() > kMaxTracked)) return;
    inputs.push_back(tensor);
  }
  keep(out, evaluate_node(node, graph_.opset, inputs)[0], partial);
}

/// What a Shape node gives, with symbols for unknown dimensions.
Tensor ShapeWalk::shape_of(const ir::Node& node, const Shape& shape) const {
  const auto [begin, end] = shape_range(node, shape.size());
  std::vector<int64_t> numbers;
  for (size_t axis = begin; axis < end; ++axis)
    numbers.push_back(shape[axis] < 0 ? dim_symbol(node.inputs[0], static_cast<int64_t>(axis)) : shape[axis]);
  return Tensor::from<int64_t>({static_cast<int64_t>(numbers.size())}, numbers);
}

/// Only what came from symbols can hold one: files may use the same huge numbers for "to the end".
void ShapeWalk::keep(ir::ValueId id, Tensor tensor, bool may_hold_symbols) {
  tracked_bytes_ += tensor.byte_size();
  if (tracked_bytes_ > kMaxTrackedBytes) return;
  (may_hold_symbols && holds_symbols(tensor) ? values_.partial : values_.whole)[id] = std::move(tensor);
}

int64_t dim_symbol(ir::ValueId value, int64_t axis) {
  return std::numeric_limits<int64_t>::min() + value * static_cast<int64_t>(kMaxRank) + axis;
}

bool is_dim_symbol(int64_t number) {
  constexpr int64_t kCount = (int64_t{std::numeric_limits<ir::ValueId>::max()} + 1) * kMaxRank;
  return number < std::numeric_limits<int64_t>::min() + kCount;
}

void infer_shapes(ir::Graph& graph, KnownValues* values) {
  KnownValues found;
  ShapeWalk walk(graph, found);
  for (ir::Node& node : graph.nodes) walk.visit(node);
  if (values != nullptr) *values = std::move(found);
}

void require_supported(const ir::Graph& graph) {
  ir::Graph copy = graph;  // constants are shared
  for (ir::Node& node : copy.nodes) node.opaque = false;
  KnownValues found;
  ShapeWalk walk(copy, found);
  for (const ir::Node& node : copy.nodes) walk.visit_supported(node);
}

}  // namespace effdet::ops
