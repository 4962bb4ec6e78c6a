// How axes and lists of an operator are rewritten for NHWC maps, one rule an operator.
#include "compiler/layout_followers.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "compiler/match.h"
#include "ops/strided.h"
#include "ops/util.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using Ints = std::vector<int64_t>;

/// Where each dimension of NCHW is in NHWC, and where each of NHWC comes from.
constexpr int64_t kTo[] = {0, 3, 1, 2}, kFrom[] = {0, 2, 3, 1};

int64_t moved(int64_t axis) { return kTo[axis < 0 ? axis + 4 : axis]; }

/// One value a dimension, in the other order; of several such runs, each.
template <typename T>
std::vector<T> in_nhwc_order(std::span<const T> values) {
  std::vector<T> result;
  for (size_t run = 0; run < values.size(); run += 4)
    for (const int64_t from : kFrom) result.push_back(values[run + static_cast<size_t>(from)]);
  return result;
}

/// A map of four dimensions, of floats or codes.
bool is_map(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue) return false;
  ir::Value value{.dtype = DType::kF32, .shape = graph.value(id).shape};
  return (graph.value(id).dtype == DType::kF32 || graph.value(id).dtype == DType::kU8) && is_static_map(value);
}

ir::ValueId add_ints(ir::Graph& graph, const std::string& name, const Ints& values) {
  return graph.add_constant(name, Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
}

// --- One attribute `axis`, on some first inputs

LayoutFollower first_inputs(const ir::Node& node, size_t count) {
  LayoutFollower follower;
  follower.maps.resize(std::min(count, node.inputs.size()));
  std::iota(follower.maps.begin(), follower.maps.end(), size_t{0});
  return follower;
}

std::optional<LayoutFollower> follow_axis(const ir::Graph&, const ir::Node& node) {
  return first_inputs(node, node.is("Concat") ? node.inputs.size() : 1);
}
std::optional<LayoutFollower> follow_softmax(const ir::Graph& graph, const ir::Node& node) {
  if (graph.opset < 13) return std::nullopt;  // flattens the axes from one on
  return first_inputs(node, 1);
}
void move_axis(ir::Graph&, ir::Node& node) {
  node.attributes["axis"] = moved(node.get_int("axis", ops::card_of(node).default_axis));
}

// --- Operators that know each value alone

std::optional<LayoutFollower> follow_value(const ir::Graph&, const ir::Node& node) { return first_inputs(node, 1); }
void move_nothing(ir::Graph&, ir::Node&) {}

// --- Resize: a number a dimension

/// Of a Resize's inputs; opset 10 has none.
bool is_region(const ir::Graph& graph, size_t input) { return graph.opset >= 11 && input == 1; }

/// Where its lists are constants with one number a dimension: those of the region stay behind.
std::optional<LayoutFollower> follow_resize(const ir::Graph& graph, const ir::Node& node) {
  if (node.find("axes") != nullptr || node.get_string("coordinate_transformation_mode", "") == "tf_crop_and_resize")
    return std::nullopt;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ir::kNoValue) continue;
    const Tensor* list = graph.constant(node.inputs[i]);
    if (list == nullptr || (list->numel() != 0 && list->numel() != 4 && !is_region(graph, i))) return std::nullopt;
  }
  return first_inputs(node, 1);
}

/// Four numbers of any type, of batch, channels, height and width.
Tensor list_in_nhwc_order(const Tensor& list) {
  Tensor result(list.dtype(), list.shape());
  const size_t size = dtype_size(list.dtype());
  auto* to = result.mutable_bytes().data();
  for (size_t i = 0; i < 4; ++i)
    std::memcpy(to + i * size, list.bytes().data() + static_cast<size_t>(kFrom[i]) * size, size);
  return result;
}

void move_sizes(ir::Graph& graph, ir::Node& node) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    ir::ValueId& list = node.inputs[i];
    if (list == ir::kNoValue) continue;
    if (is_region(graph, i)) {
      list = ir::kNoValue;  // nobody reads it
    } else if (graph.constant(list)->numel() == 4) {
      list = graph.add_constant(graph.value(list).name + "_nhwc", list_in_nhwc_order(*graph.constant(list)));
    }
  }
}

// --- Elementwise: constants lie as the maps do

bool is_one_value(const ir::Value& value) {
  return std::ranges::all_of(*value.shape, [](int64_t dim) { return dim == 1; });
}

std::optional<LayoutFollower> follow_elements(const ir::Graph& graph, const ir::Node& node) {
  LayoutFollower follower;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ir::Value& value = graph.value(node.inputs[i]);
    if (is_one_value(value)) continue;
    if (graph.constant(node.inputs[i]) != nullptr ? value.shape->size() <= 4 : is_map(graph, node.inputs[i])) {
      if (graph.constant(node.inputs[i]) == nullptr) follower.maps.push_back(i);
    } else {
      return std::nullopt;
    }
  }
  return follower;
}

void move_elements(ir::Graph& graph, ir::Node& node) {
  for (ir::ValueId& id : node.inputs) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || is_one_value(graph.value(id))) continue;
    Shape shape(4, 1);
    std::ranges::copy_backward(constant->shape(), shape.end());
    id = graph.add_constant(graph.value(id).name + "_nhwc", ops::to_nhwc(constant->reshaped(shape)));
  }
}

// --- Reductions over axes

/// The axes of a reduction of four dimensions, or nothing where they are not constant.
std::optional<Ints> reduced_axes(const ir::Graph& graph, const ir::Node& node) {
  if (node.op.starts_with("Global")) return Ints{2, 3};
  std::optional<Ints> axes = node.get_ints("axes", {});
  if (node.inputs.size() > 1 && node.inputs[1] != ir::kNoValue) axes = passes::int_constant(graph, node.inputs[1]);
  if (!axes || (axes->empty() && node.get_int("noop_with_empty_axes", 0) != 0)) return std::nullopt;
  if (axes->empty()) axes = Ints{0, 1, 2, 3};
  return ops::normalize_axes(node, *axes, 4);
}

std::optional<LayoutFollower> follow_reduction(const ir::Graph& graph, const ir::Node& node) {
  if (!is_map(graph, node.inputs[0])) return std::nullopt;  // its axes are others
  const auto axes = reduced_axes(graph, node);
  if (!axes) return std::nullopt;
  LayoutFollower follower = first_inputs(node, 1);
  if (node.op.starts_with("Global") || node.get_int("keepdims", 1) != 0) return follower;
  // What is left must be in the same order.
  Ints left;
  for (const int64_t axis : kFrom)
    if (!std::ranges::binary_search(*axes, axis)) left.push_back(axis);
  if (!std::ranges::is_sorted(left)) return std::nullopt;
  follower.gives_maps = false;
  return follower;
}

void move_reduction(ir::Graph& graph, ir::Node& node) {
  Ints axes = *reduced_axes(graph, node);
  std::ranges::transform(axes, axes.begin(), moved);
  std::ranges::sort(axes);
  if (node.op.starts_with("Global")) {
    node.op = node.op == "GlobalMaxPool" ? "ReduceMax" : "ReduceMean";
    node.attributes.clear();
  }
  node.attributes.erase("axes");
  node.inputs.resize(1);
  if (graph.opset >= (node.op == "ReduceSum" ? 13 : 18)) {
    node.inputs.push_back(add_ints(graph, node.name + "_axes_nhwc", axes));
  } else {
    node.attributes["axes"] = axes;
  }
}

// --- Transpose: what it gives lies as it says

std::optional<LayoutFollower> follow_transpose(const ir::Graph&, const ir::Node& node) {
  LayoutFollower follower = first_inputs(node, 1);
  follower.gives_maps = false;
  return follower;
}
void move_transpose(ir::Graph&, ir::Node& node) {
  Ints order = node.get_ints("perm", {3, 2, 1, 0});
  for (int64_t& axis : order) axis = kTo[axis];
  node.attributes["perm"] = order;
}

// --- Slice and Pad: lists for some axes

/// Inputs [from, end of the inputs) are constant lists, or absent.
bool has_constant_lists(const ir::Graph& graph, const ir::Node& node, size_t from) {
  return std::all_of(node.inputs.begin() + static_cast<ptrdiff_t>(std::min(from, node.inputs.size())),
                     node.inputs.end(),
                     [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) != nullptr; });
}

std::optional<LayoutFollower> follow_slice(const ir::Graph& graph, const ir::Node& node) {
  if (!has_constant_lists(graph, node, 1)) return std::nullopt;
  return first_inputs(node, 1);
}

void move_slice(ir::Graph& graph, ir::Node& node) {
  const bool are_inputs = graph.opset >= 10;
  const bool has_axes =
      are_inputs ? node.inputs.size() > 3 && node.inputs[3] != ir::kNoValue : node.find("axes") != nullptr;
  Ints axes(static_cast<size_t>(are_inputs ? graph.constant(node.inputs[1])->numel()
                                           : static_cast<int64_t>(node.get_ints("starts", {}).size())));
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (has_axes) axes = are_inputs ? *passes::int_constant(graph, node.inputs[3]) : node.get_ints("axes", {});
  std::ranges::transform(axes, axes.begin(), moved);
  if (!are_inputs) {
    node.attributes["axes"] = axes;
    return;
  }
  if (node.inputs.size() < 4) node.inputs.resize(4, ir::kNoValue);
  node.inputs[3] = add_ints(graph, node.name + "_axes_nhwc", axes);
}

std::optional<LayoutFollower> follow_pad(const ir::Graph& graph, const ir::Node& node) {
  if (!has_constant_lists(graph, node, 1)) return std::nullopt;
  return first_inputs(node, 1);
}

void move_pad(ir::Graph& graph, ir::Node& node) {
  if (node.inputs.size() > 3 && node.inputs[3] != ir::kNoValue) {
    Ints axes = *passes::int_constant(graph, node.inputs[3]);
    std::ranges::transform(axes, axes.begin(), moved);
    node.inputs[3] = add_ints(graph, node.name + "_axes_nhwc", axes);
  } else if (graph.opset < 11) {
    node.attributes["pads"] = in_nhwc_order<int64_t>(node.get_ints("pads", {}));
  } else {
    const Ints pads = in_nhwc_order<int64_t>(*passes::int_constant(graph, node.inputs[1]));
    node.inputs[1] = add_ints(graph, node.name + "_pads_nhwc", pads);
  }
}

struct Rule {
  std::string_view domain, op;
  std::optional<LayoutFollower> (*follow)(const ir::Graph&, const ir::Node&);
  void (*move)(ir::Graph&, ir::Node&);
};

constexpr Rule kRules[] = {
    {"", "Concat", follow_axis, move_axis},
    {"", "Split", follow_axis, move_axis},
    {"", "Softmax", follow_softmax, move_axis},
    {"", "Resize", follow_resize, move_sizes},
    {ir::kFusedDomain, "Elementwise", follow_elements, move_elements},
    {ir::kFusedDomain, "Quantize", follow_value, move_nothing},
    {ir::kFusedDomain, "Dequantize", follow_value, move_nothing},
    {ir::kFusedDomain, "Table", follow_value, move_nothing},
    {"", "GlobalAveragePool", follow_reduction, move_reduction},
    {"", "GlobalMaxPool", follow_reduction, move_reduction},
    {"", "ReduceMean", follow_reduction, move_reduction},
    {"", "ReduceSum", follow_reduction, move_reduction},
    {"", "ReduceMax", follow_reduction, move_reduction},
    {"", "ReduceMin", follow_reduction, move_reduction},
    {"", "Transpose", follow_transpose, move_transpose},
    {"", "Slice", follow_slice, move_slice},
    {"", "Pad", follow_pad, move_pad},
};

const Rule* rule_for(const ir::Node& node) {
  for (const Rule& rule : kRules)
    if (rule.op == node.op && rule.domain == node.domain) return &rule;
  return nullptr;
}

}  // namespace

std::optional<LayoutFollower> layout_follower(const ir::Graph& graph, const ir::Node& node) {
  const ops::LayoutRule card = ops::card_of(node).layout;
  const bool follows = card == ops::LayoutRule::kFollows || card == ops::LayoutRule::kDeclared;
  const Rule* rule = follows ? rule_for(node) : nullptr;
  const auto follower = rule != nullptr ? rule->follow(graph, node) : std::nullopt;
  if (!follower) return std::nullopt;
  const bool maps = std::ranges::all_of(follower->maps, [&](size_t i) { return is_map(graph, node.inputs[i]); });
  const auto is_output = [&](ir::ValueId id) {
    return id != ir::kNoValue && (!follower->gives_maps || is_map(graph, id));
  };
  return maps && std::ranges::all_of(node.outputs, is_output) ? follower : std::nullopt;
}

void write_for_nhwc(ir::Graph& graph, ir::Node& node) { rule_for(node)->move(graph, node); }

}  // namespace effdet::compiler
