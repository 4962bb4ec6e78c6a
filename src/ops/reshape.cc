// Reshape, Flatten, Squeeze and Unsqueeze, which move nothing; Shape and Size.
#include <algorithm>

#include "base/checked.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

void view_input(const EvalContext& c) { c.output() = c.input(0).reshaped(c.output().shape()); }

/// Copies dimensions that are 0 in the target from the input.
void copy_zero_dims(const InferContext& c, Shape& target) {
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] != 0) continue;
    if (c.shape(0) && i >= c.shape(0)->size())
      node_error(c.node, "dimension {} is to be copied from an input of shape {}", i, shape_text(*c.shape(0)));
    target[i] = c.shape(0) ? (*c.shape(0))[i] : -1;
  }
}

/// Replaces the one -1 by what makes the number of elements right.
void resolve_rest(const InferContext& c, Shape& target, size_t rest) {
  Shape others = target;
  others[rest] = 1;
  if (!c.shape(0) || !is_known(*c.shape(0)) || !is_known(others)) return;
  const auto count = checked_numel(*c.shape(0)), part = checked_numel(others);
  if (!count || !part || *part == 0 || *count % *part != 0)
    node_error(c.node, "shape {} does not fit an input of shape {}", shape_text(target), shape_text(*c.shape(0)));
  target[rest] = static_cast<int64_t>(*count / *part);
}

std::vector<Inferred> infer_reshape(const InferContext& c) {
  if (c.opset < 5) fail(ErrorCode::kUnsupported, "{}: opset {} is not supported", node_label(c.node), c.opset);
  if (c.dtype(1) != DType::kI64) node_error(c.node, "the shape has type {}, not int64", dtype_name(c.dtype(1)));
  const auto listed = c.listed_dims(1);
  if (!listed) return {{c.dtype(0), std::nullopt}};
  Shape target = *listed;
  const auto rest = std::ranges::find(target, -1);
  const auto position = static_cast<size_t>(rest - target.begin());
  const bool whole = c.ints(1).has_value();
  if (whole && std::ranges::count(target, -1) > 1) node_error(c.node, "shape {} holds -1 twice", shape_text(target));
  if (c.node.get_int("allowzero", 0) == 0) copy_zero_dims(c, target);
  if (!whole) return {{c.dtype(0), target}};
  if (position < target.size()) {
    resolve_rest(c, target, position);
  } else if (c.shape(0) && is_known(*c.shape(0)) && is_known(target) &&
             checked_numel(*c.shape(0)) != checked_numel(target)) {
    node_error(c.node, "shape {} does not fit an input of shape {}", shape_text(target), shape_text(*c.shape(0)));
  }
  return {{c.dtype(0), target}};
}

std::vector<Inferred> infer_flatten(const InferContext& c) {
  if (!c.shape(0)) return {{c.dtype(0), Shape{-1, -1}}};
  const Shape& shape = *c.shape(0);
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = c.node.get_int("axis", 1);
  if (axis != rank) axis = normalize_axis(c.node, axis, rank);  // axis == rank is legal here
  const Shape head(shape.begin(), shape.begin() + axis), tail(shape.begin() + axis, shape.end());
  const auto product = [](const Shape& part) {
    const auto count = checked_numel(part);
    return count ? static_cast<int64_t>(*count) : -1;
  };
  return {{c.dtype(0), Shape{product(head), product(tail)}}};
}

/// Opset 13 turned the attribute `axes` of Squeeze and Unsqueeze into an input.
std::optional<std::vector<int64_t>> axes_of(const InferContext& c, bool& given) {
  given = c.opset >= 13 ? c.has(1) : c.node.find("axes") != nullptr;
  if (!given) return std::vector<int64_t>{};
  if (c.opset >= 13) return c.ints(1);
  return c.node.get_ints("axes", {});
}

std::vector<Inferred> infer_squeeze(const InferContext& c) {
  bool given = false;
  auto axes = axes_of(c, given);
  if (!axes || !c.shape(0)) return {{c.dtype(0), std::nullopt}};
  const Shape& shape = *c.shape(0);
  axes = normalize_axes(c.node, *axes, static_cast<int64_t>(shape.size()));
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool listed = std::ranges::binary_search(*axes, static_cast<int64_t>(i));
    if (!given && shape[i] < 0) return {{c.dtype(0), std::nullopt}};
    if (given && listed && shape[i] > 1) node_error(c.node, "dimension {} is {}, not 1", i, shape[i]);
    if (given ? !listed : shape[i] != 1) result.push_back(shape[i]);
  }
  return {{c.dtype(0), result}};
}

std::vector<Inferred> infer_unsqueeze(const InferContext& c) {
  bool given = false;
  auto axes = axes_of(c, given);
  if (!given) node_error(c.node, "has no axes");
  if (!axes || !c.shape(0)) return {{c.dtype(0), std::nullopt}};
  if (axes->size() > kMaxRank) node_error(c.node, "{} axes are too many", axes->size());
  axes = normalize_axes(c.node, *axes, static_cast<int64_t>(c.shape(0)->size() + axes->size()));
  Shape result = *c.shape(0);
  for (int64_t axis : *axes) result.insert(result.begin() + axis, 1);
  return {{c.dtype(0), result}};
}

std::vector<Inferred> infer_shape(const InferContext& c) {
  c.dtype(0);
  if (!c.shape(0)) return {{DType::kI64, Shape{-1}}};
  const auto [begin, end] = shape_range(c.node, c.shape(0)->size());
  return {{DType::kI64, Shape{static_cast<int64_t>(end - begin)}}};
}

void evaluate_shape(const EvalContext& c) {
  const Shape& shape = c.input(0).shape();
  const auto [begin, end] = shape_range(c.node, shape.size());
  std::copy(shape.begin() + static_cast<int64_t>(begin), shape.begin() + static_cast<int64_t>(end),
            c.output().mutable_data<int64_t>().begin());
}

std::vector<Inferred> infer_size(const InferContext& c) {
  c.dtype(0);
  return {{DType::kI64, Shape{}}};
}

void evaluate_size(const EvalContext& c) { c.output().mutable_data<int64_t>()[0] = c.input(0).numel(); }

}  // namespace

std::span<const Operator> reshape_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Reshape", 2, 2, infer_reshape, view_input, kByImage},
      {"", "Flatten", 1, 1, infer_flatten, view_input, kByImage},
      {"", "Squeeze", 1, 2, infer_squeeze, view_input, kByImage},
      {"", "Unsqueeze", 1, 2, infer_unsqueeze, view_input, kByImage},
      {"", "Shape", 1, 1, infer_shape, evaluate_shape, kMixes},
      {"", "Size", 1, 1, infer_size, evaluate_size, kMixes},
  };
  return kOperators;
}

}  // namespace effdet::ops
