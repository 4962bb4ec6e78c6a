// Slice and Split: parts of a tensor along axes.
#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "ops/fused/maps.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/strided_view.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// One axis of a slice, resolved against the dimension: count elements from begin, step apart.
struct AxisSlice {
  int64_t axis, begin, step, count;
};

/// numpy's slicing rules: negative positions count from the end, everything is clamped.
AxisSlice resolve(const ir::Node& node, int64_t axis, int64_t start, int64_t end, int64_t step, int64_t dim) {
  if (step == 0 || step == INT64_MIN) node_error(node, "step is {}", step);
  const auto from_end = [&](int64_t i) { return i < 0 ? std::max<int64_t>(i, -dim - 1) + dim : i; };
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1;
  const int64_t begin = std::clamp(from_end(start), step > 0 ? 0 : std::min<int64_t>(0, high), std::max(high, low));
  const int64_t stop = std::clamp(from_end(end), low, std::max(high, low));
  const int64_t span = step > 0 ? stop - begin : begin - stop;
  const int64_t stride = step > 0 ? step : -step;
  return {axis, begin, step, span > 0 ? (span - 1) / stride + 1 : 0};
}

/// starts, ends, axes, steps: attributes before opset 10, inputs from then on.
struct SliceLists {
  std::optional<std::vector<int64_t>> starts, ends, axes, steps;
};

SliceLists read_lists(const InferContext& c) {
  if (c.opset >= 10) {
    if (!c.has(1) || !c.has(2)) node_error(c.node, "starts or ends are missing");
    return {c.ints(1), c.ints(2), c.ints(3), c.ints(4)};
  }
  SliceLists lists{c.node.get_ints("starts", {}), c.node.get_ints("ends", {}), std::nullopt, std::nullopt};
  if (c.node.find("axes")) lists.axes = c.node.get_ints("axes", {});
  return lists;
}

/// The slices, or nothing where a list is not known yet.
std::optional<std::vector<AxisSlice>> slices_of(const InferContext& c, const Shape& shape) {
  SliceLists lists = read_lists(c);
  const bool waits = (c.has(3) && !lists.axes) || (c.has(4) && !lists.steps);
  if (!lists.starts || !lists.ends || waits) return std::nullopt;
  const size_t count = lists.starts->size();
  if (!lists.axes) {
    lists.axes.emplace(count);
    std::iota(lists.axes->begin(), lists.axes->end(), 0);
  }
  if (!lists.steps) lists.steps = std::vector<int64_t>(count, 1);
  if (lists.ends->size() != count || lists.axes->size() != count || lists.steps->size() != count)
    node_error(c.node, "starts, ends, axes and steps have {}, {}, {} and {} values", count, lists.ends->size(),
               lists.axes->size(), lists.steps->size());
  normalize_axes(c.node, *lists.axes, static_cast<int64_t>(shape.size()));  // refuses doubles
  std::vector<AxisSlice> slices;
  for (size_t i = 0; i < count; ++i) {
    const int64_t axis = normalize_axis(c.node, (*lists.axes)[i], static_cast<int64_t>(shape.size()));
    slices.push_back(resolve(c.node, axis, (*lists.starts)[i], (*lists.ends)[i], (*lists.steps)[i],
                             std::max<int64_t>(shape[axis], 0)));
  }
  return slices;
}

std::vector<Inferred> infer_slice(const InferContext& c) {
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  Shape result = *c.shape(0);
  const auto slices = slices_of(c, result);
  if (!slices) return {{c.dtype(0), Shape(result.size(), -1)}};
  for (const AxisSlice& slice : *slices)
    if (result[slice.axis] >= 0) result[slice.axis] = slice.count;
  return {{c.dtype(0), result}};
}

void evaluate_slice(const EvalContext& c) {
  std::vector<InputInfo> infos;
  for (const Tensor* input : c.inputs)
    infos.push_back(input == nullptr ? InputInfo{} : InputInfo{true, input->dtype(), input->shape(), input});
  const StridedView view = slice_view({c.node, c.opset, infos}).value();
  copy_strided(c.input(0), view.offset, c.output().shape(), view.strides, c.output());
}

/// Sizes along the axis: from `split` (attribute before opset 13, then input), or equal parts.
std::optional<std::vector<int64_t>> split_sizes(const InferContext& c, int64_t dim) {
  const auto parts = static_cast<int64_t>(c.node.outputs.size());
  std::optional<std::vector<int64_t>> sizes;
  if (c.opset >= 13 && c.has(1)) {
    sizes = c.ints(1);
    if (!sizes) return std::nullopt;
  } else if (c.opset < 13 && c.node.find("split")) {
    sizes = c.node.get_ints("split", {});
  }
  if (dim < 0) return sizes;
  if (!sizes) {
    if (dim % parts != 0 && c.opset < 18) node_error(c.node, "cannot split {} into {} equal parts", dim, parts);
    const int64_t part = (dim + parts - 1) / parts;  // since opset 18 the last one may be smaller
    sizes = std::vector<int64_t>(static_cast<size_t>(parts), part);
    sizes->back() = dim - part * (parts - 1);
  }
  int64_t left = dim;  // counted down: a sum of hostile sizes could wrap
  for (int64_t size : *sizes) {
    if (size < 0 || size > left) node_error(c.node, "part of {} with {} left", size, left);
    left -= size;
  }
  if (left != 0 || static_cast<int64_t>(sizes->size()) != parts)
    node_error(c.node, "{} parts with {} left over for {} outputs", sizes->size(), left, parts);
  return sizes;
}

std::vector<Inferred> infer_split(const InferContext& c) {
  std::vector<Inferred> outputs(c.node.outputs.size(), {c.dtype(0), std::nullopt});
  if (!c.shape(0)) return outputs;
  const Shape& shape = *c.shape(0);
  const int64_t axis = normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(shape.size()));
  const auto sizes = split_sizes(c, shape[axis]);
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].shape = shape;
    (*outputs[i].shape)[axis] = sizes && i < sizes->size() ? (*sizes)[i] : -1;
  }
  return outputs;
}

void evaluate_split(const EvalContext& c) {
  const Tensor& in = c.input(0);
  const int64_t axis = normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(in.rank()));
  const std::vector<int64_t> strides = dense_strides(in.shape());
  int64_t begin = 0;
  for (Tensor& out : c.outputs) {
    if (out.empty()) node_error(c.node, "an output has no name");
    copy_strided(in, begin * strides[axis], out.shape(), strides, out);
    begin += out.shape()[axis];
  }
}

}  // namespace

std::optional<StridedView> slice_view(const InferContext& c) {
  const auto slices = slices_of(c, *c.shape(0));
  if (!slices) return std::nullopt;
  StridedView view{*c.shape(0), dense_strides(*c.shape(0))};
  for (const AxisSlice& slice : *slices) {
    view.shape[slice.axis] = slice.count;
    view.offset += slice.begin * view.strides[slice.axis];
    // A step past the dimension moves nowhere (there is one element then), and might wrap when multiplied.
    view.strides[slice.axis] *= slice.count > 1 ? slice.step : 0;
  }
  return view;
}

std::span<const Operator> slice_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kOther};
  static constexpr Card kSlice{.batch = Batch::kMixes, .layout = LayoutRule::kFollows};
  static constexpr Card kSplit{
      .batch = Batch::kAlongAxis, .slots = kSlots, .map_types = kMapTypes, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "Slice", 1, 5, infer_slice, evaluate_slice, kSlice},
      {"", "Split", 1, 2, infer_split, evaluate_split, kSplit, 2, 1 << 20},
  };
  return kOperators;
}

}  // namespace effdet::ops
