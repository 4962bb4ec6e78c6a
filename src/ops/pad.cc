// Pad with a constant, the edge, its reflection or from the other side.
#include <algorithm>
#include <cstring>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMaxPad = int64_t{1} << 34;

/// Begins, then ends, of every dimension, or nothing where they are not known yet. They are an attribute before opset
/// 11, an input since, which opset 18 lets speak of some axes alone.
std::optional<std::vector<int64_t>> pads_of(const InferContext& c, size_t rank) {
  std::optional<std::vector<int64_t>> given;
  if (c.opset < 11) {
    given = c.node.get_ints("pads", {});
  } else {
    if (!c.has(1)) node_error(c.node, "has no pads");
    given = c.ints(1);
  }
  std::optional<std::vector<int64_t>> axes;
  if (c.has(3)) {
    axes = c.ints(3);
    if (!axes) return std::nullopt;
    for (int64_t& axis : *axes) axis = normalize_axis(c.node, axis, static_cast<int64_t>(rank));
    normalize_axes(c.node, *axes, static_cast<int64_t>(rank));  // none twice
  }
  const size_t count = axes ? axes->size() : rank;
  if (!given) return std::nullopt;
  if (given->size() != 2 * count) node_error(c.node, "{} pads for {} dimensions", given->size(), count);
  if (!axes) return given;
  std::vector<int64_t> pads(2 * rank, 0);
  for (size_t i = 0; i < count; ++i) {
    pads[static_cast<size_t>((*axes)[i])] = (*given)[i];
    pads[rank + static_cast<size_t>((*axes)[i])] = (*given)[count + i];
  }
  return pads;
}

std::vector<Inferred> infer_pad(const InferContext& c) {
  if (c.has(2) && c.dtype(2) != c.dtype(0))
    node_error(c.node, "pads {} with {}", dtype_name(c.dtype(0)), dtype_name(c.dtype(2)));
  if (c.value(2) != nullptr && c.value(2)->numel() != 1)
    node_error(c.node, "constant_value of shape {} is no scalar", shape_text(c.value(2)->shape()));
  const std::string mode = c.node.get_string("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    node_error(c.node, "mode is '{}'", mode);
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  Shape result = *c.shape(0);
  const size_t rank = result.size();
  const auto pads = pads_of(c, rank);
  if (!pads) return {{c.dtype(0), Shape(result.size(), -1)}};
  for (size_t i = 0; i < rank; ++i) {
    const int64_t begin = (*pads)[i], end = (*pads)[rank + i], dim = result[i];
    if (std::min(begin, end) < -kMaxPad || std::max(begin, end) > kMaxPad)
      node_error(c.node, "pads dimension {} by {} and {}", i, begin, end);
    if (dim < 0) continue;
    if (dim + begin + end < 0) node_error(c.node, "crops dimension {} of {} by {} and {}", i, dim, begin, end);
    const bool grows = begin > 0 || end > 0;
    if ((mode == "reflect" && std::max(begin, end) >= std::max<int64_t>(dim, 1)) ||
        ((mode == "edge" || mode == "wrap") && grows && dim == 0))
      node_error(c.node, "cannot pad dimension {} of {} by {} and {} in mode {}", i, dim, begin, end, mode);
    result[i] = dim + begin + end;
  }
  return {{c.dtype(0), result}};
}

/// For each output position along an axis the input position, or -1 for the constant.
std::vector<int64_t> source_positions(const std::string& mode, int64_t dim, int64_t begin, int64_t outputs) {
  std::vector<int64_t> positions(static_cast<size_t>(outputs));
  for (int64_t i = 0; i < outputs; ++i) {
    int64_t position = i - begin;
    if (mode == "edge") position = std::clamp<int64_t>(position, 0, dim - 1);
    if (mode == "wrap") position = (position % dim + dim) % dim;
    if (mode == "reflect") {
      position = position < 0 ? -position : position;
      if (position >= dim) position = 2 * (dim - 1) - position;
    }
    positions[static_cast<size_t>(i)] = position < 0 || position >= dim ? -1 : position;
  }
  return positions;
}

/// The constant's bytes: attribute `value` before opset 11, input 2 since, zero where absent.
Tensor pad_value(const EvalContext& c) {
  if (c.has(2)) return c.input(2);
  return Tensor::scalar<float>(c.opset < 11 ? c.node.get_float("value", 0) : 0).to(c.input(0).dtype());
}

/// Writes output rows one by one: a row is all constant, or its elements come from one input row.
class Padder {
 public:
  Padder(const EvalContext& c, const Tensor& value)
      : c_(c),
        value_(value),
        size_(dtype_size(value.dtype())),
        strides_(dense_strides(c.input(0).shape())),
        out_(c.output().mutable_bytes().data()) {
    const std::vector<InputInfo> infos = input_infos(c);
    const std::vector<int64_t> pads = pads_of({c.node, c.opset, infos}, c.input(0).rank()).value();
    const std::string mode = c.node.get_string("mode", "constant");
    for (size_t i = 0; i < c.input(0).rank(); ++i)
      positions_.push_back(source_positions(mode, c.input(0).dim(i), pads[i], c.output().dim(i)));
  }

  /// Fills the part of the output below `axis`; source is the input offset so far, or -1.
  void fill(size_t axis, int64_t source) {
    const bool innermost = axis + 1 >= positions_.size();
    for (int64_t position : positions_[axis]) {
      const int64_t next = source < 0 || position < 0 ? -1 : source + position * strides_[axis];
      if (innermost) {
        put(next);
      } else {
        fill(axis + 1, next);
      }
    }
  }

  void put(int64_t source) {
    const std::byte* from = source < 0 ? value_.bytes().data() : c_.input(0).bytes().data() + source * size_;
    std::memcpy(out_, from, static_cast<size_t>(size_));
    out_ += size_;
  }

 private:
  const EvalContext& c_;
  const Tensor& value_;
  int64_t size_;
  std::vector<int64_t> strides_;
  std::byte* out_;
  std::vector<std::vector<int64_t>> positions_;
};

void evaluate_pad(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const Tensor value = pad_value(c);
  if (value.numel() != 1) node_error(c.node, "constant_value of {} elements", value.numel());
  Padder padder(c, value);
  if (c.input(0).rank() == 0) {
    padder.put(0);
  } else {
    padder.fill(0, 0);
  }
}

}  // namespace

std::span<const Operator> pad_operators() {
  static constexpr Card kPad{.batch = Batch::kMixes, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "Pad", 1, 4, infer_pad, evaluate_pad, kPad, 2},
  };
  return kOperators;
}

}  // namespace effdet::ops
