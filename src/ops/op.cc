// Operators by name, and inference and evaluation of one node with all checks.
#include "ops/op.h"

#include <algorithm>
#include <unordered_map>

#include "base/checked.h"
#include "ops/fused/layout.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Rules of operators add to dimensions and multiply them: none is near the end of the numbers. what: "input".
void check_shape(const ir::Node& node, const std::optional<Shape>& shape, std::string_view what) {
  if (!shape) return;
  if (shape->size() > kMaxRank) node_error(node, "an {} of {} dimensions is too deep", what, shape->size());
  Shape known;
  for (int64_t dim : *shape)
    if (dim >= 0) known.push_back(dim);
  const auto count = checked_numel(known);
  if (!count || *count > static_cast<uint64_t>(kMaxElements))
    node_error(node, "an {} of shape {} is too large", what, shape_text(*shape));
}

/// An output's layout, by the card.
std::optional<Layout> layout_of(const Operator& op, const InferContext& c, size_t output, const Inferred& inferred) {
  const bool is_map = inferred.shape && inferred.shape->size() == 4;
  switch (op.card.layout) {
    case LayoutRule::kNone:
      break;
    case LayoutRule::kFollows:
      if (is_map && std::ranges::any_of(c.inputs, [](const InputInfo& i) { return i.layout == Layout::kNhwc; }))
        return Layout::kNhwc;
      break;
    case LayoutRule::kAttributes:
      if (is_map && output == 0) return MapLayouts::of(c.node).output;
      break;
    case LayoutRule::kDeclared:
      return std::nullopt;
  }
  return Layout::kPlain;
}

}  // namespace

int64_t CostContext::elements(const Shape& shape) {
  return static_cast<int64_t>(
      std::min<uint64_t>(checked_numel(shape).value_or(0), static_cast<uint64_t>(kMaxElements)));
}

std::optional<size_t> Card::find_slot(Slot wanted) const {
  const auto found = std::ranges::find(slots, wanted);
  return found == slots.end() ? std::nullopt : std::optional(static_cast<size_t>(found - slots.begin()));
}

bool Card::takes(DType map_type) const { return std::ranges::find(map_types, map_type) != map_types.end(); }

std::optional<DType> type_in_slot(Slot slot, DType maps, DType output) {
  switch (slot) {
    case Slot::kResidual:
      return output;
    case Slot::kMap:
    case Slot::kPackedWeights:
    case Slot::kZeroPoint:
      return maps;
    case Slot::kGate:
    case Slot::kWeights:
    case Slot::kBias:
    case Slot::kScale:
      return DType::kF32;
    case Slot::kAnyMap:
    case Slot::kOther:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string node_label(const ir::Node& node) { return fmt::format("node '{}' ({})", node.name, node.op); }

DType InferContext::dtype(size_t i) const {
  if (!has(i)) node_error(node, "input {} is missing", i);
  return inputs[i].dtype;
}

const std::optional<Shape>& InferContext::shape(size_t i) const {
  static const std::optional<Shape> unknown;
  return has(i) ? inputs[i].shape : unknown;
}

std::optional<std::vector<int64_t>> InferContext::ints(size_t i) const {
  if (!has(i)) return std::nullopt;
  if (dtype(i) != DType::kI64 && dtype(i) != DType::kI32)
    node_error(node, "input {} has type {}, not int64", i, dtype_name(dtype(i)));
  const Tensor* tensor = value(i);
  if (tensor == nullptr) return std::nullopt;
  if (tensor->rank() > 1 || tensor->numel() > static_cast<int64_t>(2 * kMaxRank))
    node_error(node, "input {} of shape {} is no short list", i, shape_text(tensor->shape()));
  const Tensor wide = tensor->to(DType::kI64);
  const auto data = wide.data<int64_t>();
  return std::vector<int64_t>(data.begin(), data.end());
}

std::optional<std::vector<std::optional<int64_t>>> InferContext::some_ints(size_t i) const {
  if (const auto all = ints(i)) return std::vector<std::optional<int64_t>>(all->begin(), all->end());
  if (!has(i) || inputs[i].partial == nullptr) return std::nullopt;
  std::vector<std::optional<int64_t>> some;
  for (int64_t number : inputs[i].partial->data<int64_t>())
    some.push_back(is_dim_symbol(number) ? std::nullopt : std::optional(number));
  return some;
}

std::optional<Shape> InferContext::listed_dims(size_t i) const {
  if (const auto some = some_ints(i)) {
    Shape dims;
    for (const auto& number : *some) {
      if (number && *number < -1) node_error(node, "input {} asks for a dimension of {}", i, *number);
      dims.push_back(number.value_or(-1));
    }
    return dims;
  }
  const auto& list = shape(i);
  if (!list || list->size() != 1 || list->at(0) < 0 || list->at(0) > int64_t{kMaxRank}) return std::nullopt;
  return Shape(static_cast<size_t>(list->at(0)), -1);
}

std::optional<Shape> InferContext::listed_shape(size_t i) const {
  if (const auto dims = ints(i); dims && !is_known(*dims))
    node_error(node, "a dimension of shape {} is negative", shape_text(*dims));
  return listed_dims(i);
}

const Operator* find_operator(std::string_view domain, std::string_view type) {
  static const auto operators = [] {
    std::unordered_multimap<std::string_view, const Operator*> by_type;
    for (const Operator& op : all_operators()) by_type.emplace(op.type, &op);
    return by_type;
  }();
  const auto [begin, end] = operators.equal_range(type);
  const auto found = std::find_if(begin, end, [&](const auto& entry) { return entry.second->domain == domain; });
  return found == end ? nullptr : found->second;
}

const Card& card_of(const ir::Node& node) {
  static constexpr Card kUnknown;
  const Operator* op = find_operator(node.domain, node.op);
  return op != nullptr ? op->card : kUnknown;
}

const Operator& operator_of(const ir::Node& node, int64_t opset) {
  const Operator* op = find_operator(node.domain, node.op);
  const bool own = node.domain.empty();
  if (op == nullptr || (own && opset < op->min_opset))
    fail(ErrorCode::kUnsupported, "unsupported operator {} (domain '{}', opset {}), node '{}'", node.op,
         own ? "ai.onnx" : node.domain, opset, node.name);
  const auto count = static_cast<int64_t>(node.inputs.size());
  if (count < op->min_inputs || count > op->max_inputs)
    node_error(node, "has {} inputs, not {} to {}", count, op->min_inputs, op->max_inputs);
  for (int i = 0; i < op->min_inputs; ++i)
    if (node.inputs[i] == ir::kNoValue) node_error(node, "input {} is missing", i);
  if (node.outputs.empty() || static_cast<int64_t>(node.outputs.size()) > op->max_outputs)
    node_error(node, "has {} outputs, not 1 to {}", node.outputs.size(), op->max_outputs);
  if (node.outputs[0] == ir::kNoValue) node_error(node, "its first output has no name");
  return *op;
}

std::vector<Inferred> infer_node(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs) {
  const Operator& op = operator_of(node, opset);
  for (const InputInfo& input : inputs) check_shape(node, input.shape, "input");
  std::vector<Inferred> outputs = op.infer({node, opset, inputs});
  if (outputs.size() < node.outputs.size())
    fail(ErrorCode::kUnsupported, "{}: output {} is not supported", node_label(node), outputs.size());
  outputs.resize(node.outputs.size());
  for (const Inferred& output : outputs) check_shape(node, output.shape, "output");
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i].layout = layout_of(op, {node, opset, inputs}, i, outputs[i]);
  return outputs;
}

namespace {

bool is_half(DType dtype) { return dtype == DType::kF16 || dtype == DType::kBF16; }

/// Allocates what has a known shape and is wanted.
std::vector<Tensor> allocate_outputs(const ir::Node& node, const std::vector<Inferred>& inferred) {
  std::vector<Tensor> outputs(inferred.size());
  const bool open = std::ranges::any_of(inferred, [](const Inferred& output) {
    return !output.shape || std::ranges::any_of(*output.shape, [](int64_t dim) { return dim < 0; });
  });
  for (size_t i = 0; i < inferred.size() && !open; ++i) {
    if (node.outputs[i] != ir::kNoValue) outputs[i] = Tensor(inferred[i].dtype, *inferred[i].shape);
  }
  return outputs;
}

/// Calls a kernel with float32 in the place of 16-bit floats.
void evaluate_halves(const Operator& op, const EvalContext& c) {
  std::vector<Tensor> wide_inputs(c.inputs.size()), wide_outputs(c.outputs.begin(), c.outputs.end());
  std::vector<const Tensor*> pointers(c.inputs.begin(), c.inputs.end());
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i) || !is_half(c.input(i).dtype())) continue;
    wide_inputs[i] = c.input(i).to(DType::kF32);
    pointers[i] = &wide_inputs[i];
  }
  for (Tensor& output : wide_outputs)
    if (!output.empty() && is_half(output.dtype())) output = Tensor(DType::kF32, output.shape());
  op.evaluate({c.node, c.opset, pointers, wide_outputs, c.threads});
  std::ranges::move(wide_outputs, c.outputs.begin());
}

/// Calls a node's kernel, by way of float32 where it wants that.
void run_kernel(const Operator& op, const EvalContext& c, bool halves) {
  if (halves && !op.takes_halves && c.node.domain.empty()) {
    evaluate_halves(op, c);
  } else {
    op.evaluate(c);
  }
}

}  // namespace

std::vector<Tensor> evaluate_node(const ir::Node& node, int64_t opset, std::span<const Tensor* const> inputs,
                                  ThreadPool* threads) {
  std::vector<InputInfo> infos(inputs.size());
  bool halves = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    infos[i] = {.present = true, .dtype = inputs[i]->dtype(), .shape = inputs[i]->shape(), .value = inputs[i]};
    halves = halves || is_half(inputs[i]->dtype());
  }
  const std::vector<Inferred> inferred = infer_node(node, opset, infos);
  try {
    std::vector<Tensor> outputs = allocate_outputs(node, inferred);
    run_kernel(operator_of(node, opset), {node, opset, inputs, outputs, threads}, halves);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      if (outputs[i].empty()) fail(ErrorCode::kInternal, "{}: output {} was not made", node_label(node), i);
      outputs[i] = outputs[i].to(inferred[i].dtype);
    }
    return outputs;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    fail(ErrorCode::kOutOfMemory, "{}: {}", node_label(node), error.what());
  }
}

}  // namespace effdet::ops
