#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// How one axis is resized. The scale is kept as given: it need not be output / input.
struct AxisResize {
  int64_t in = 0, out = 0;
  float scale = 1;
  bool changes() const { return in != out || scale != 1; }
};

/// A node's way of sampling. Opset 9 and 10 know only "asymmetric" with rounding down.
struct Sampling {
  std::string mode, coordinates = "asymmetric", nearest = "floor";
};

Sampling sampling_of(const ir::Node& node, int64_t opset) {
  Sampling sampling{node.get_string("mode", "nearest")};
  if (node.op == "Resize" && opset >= 11) {
    sampling.coordinates = node.get_string("coordinate_transformation_mode", "half_pixel");
    sampling.nearest = node.get_string("nearest_mode", "round_prefer_floor");
  }
  const auto known = [](const std::string& value, std::initializer_list<std::string_view> values) {
    return std::ranges::find(values, value) != values.end();
  };
  const bool fine = known(sampling.mode, {"nearest", "linear", "bilinear"}) &&
                    known(sampling.coordinates, {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                                                 "tf_half_pixel_for_nn"}) &&
                    known(sampling.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  if (!fine || node.get_int("antialias", 0) != 0 || node.find("axes") ||
      node.get_string("keep_aspect_ratio_policy", "stretch") != "stretch")
    fail(ErrorCode::kUnsupported, "{}: mode {} with {} and {} is not supported", node_label(node), sampling.mode,
         sampling.coordinates, sampling.nearest);
  return sampling;
}

/// The list of scales: an attribute of Upsample before opset 9, an input otherwise. Empty where it is absent.
std::optional<std::vector<float>> scales_of(const InferContext& c) {
  if (c.node.op == "Upsample" && c.opset < 9) {
    const auto* scales = c.node.find("scales");
    if (scales != nullptr && std::holds_alternative<std::vector<float>>(*scales))
      return std::get<std::vector<float>>(*scales);
    node_error(c.node, "has no scales");
  }
  const size_t input = c.node.op == "Resize" && c.opset >= 11 ? 2 : 1;
  if (!c.has(input)) return std::vector<float>{};
  if (c.dtype(input) != DType::kF32) node_error(c.node, "the scales have type {}", dtype_name(c.dtype(input)));
  const Tensor* tensor = c.value(input);
  if (tensor == nullptr) return std::nullopt;
  if (tensor->numel() > static_cast<int64_t>(kMaxRank)) node_error(c.node, "{} scales are too many", tensor->numel());
  return std::vector<float>(tensor->data<float>().begin(), tensor->data<float>().end());
}

AxisResize by_scale(const ir::Node& node, int64_t in, float scale) {
  const float size = std::floor(static_cast<float>(in) * scale);
  if (!(scale > 0) || !std::isfinite(scale) || !(size <= static_cast<float>(kMaxElements)))
    node_error(node, "scale {} of dimension {} is out of range", scale, in);
  return {in, static_cast<int64_t>(size), scale};
}

AxisResize by_size(const ir::Node& node, int64_t in, int64_t out) {
  if (out < 0 || out > kMaxElements || (in == 0 && out > 0)) node_error(node, "resizes {} to {}", in, out);
  return {in, out, in == 0 ? 1.0f : static_cast<float>(out) / static_cast<float>(in)};
}

/// What happens to each axis, or nothing where scales or sizes are not known yet. Unknown dimensions stay -1.
std::optional<std::vector<AxisResize>> axes_of(const InferContext& c, const Shape& shape) {
  const auto scales = scales_of(c);
  const bool sized = c.has(3);
  const auto sizes = sized ? c.some_ints(3) : std::nullopt;
  if (!scales || (sized && !sizes)) return std::nullopt;
  const bool by_sizes = sized && !sizes->empty();
  if (by_sizes == !scales->empty()) node_error(c.node, "needs either scales or sizes");
  const size_t count = by_sizes ? sizes->size() : scales->size();
  if (count != shape.size()) node_error(c.node, "{} scales or sizes for {} dimensions", count, shape.size());
  std::vector<AxisResize> axes;
  for (size_t i = 0; i < count; ++i) {
    if (shape[i] < 0 || (by_sizes && !(*sizes)[i])) {
      axes.push_back({-1, by_sizes ? (*sizes)[i].value_or(-1) : -1, 1});
    } else {
      axes.push_back(by_sizes ? by_size(c.node, shape[i], *(*sizes)[i]) : by_scale(c.node, shape[i], (*scales)[i]));
    }
  }
  return axes;
}

std::vector<Inferred> infer_resize(const InferContext& c) {
  const Sampling sampling = sampling_of(c.node, c.opset);
  if (sampling.mode != "nearest") require_float(c);
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  const auto axes = axes_of(c, *c.shape(0));
  if (!axes) return {{c.dtype(0), Shape(c.shape(0)->size(), -1)}};
  Shape result;
  for (const AxisResize& axis : *axes) result.push_back(axis.out);
  return {{c.dtype(0), result}};
}

/// Position in the input of output position i (in float, as ONNX Runtime computes it).
float source_position(const Sampling& sampling, const AxisResize& axis, int64_t i) {
  const auto x = static_cast<float>(i);
  const std::string& mode = sampling.coordinates;
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5f) / axis.scale;
  if (mode == "align_corners")
    return axis.out == 1 ? 0 : x * static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1);
  if (mode == "pytorch_half_pixel" && axis.out <= 1) return 0;
  return (x + 0.5f) / axis.scale - 0.5f;
}

int64_t nearest_index(const Sampling& sampling, float position, int64_t in) {
  float rounded = std::floor(position);
  if (sampling.nearest == "ceil") rounded = std::ceil(position);
  if (sampling.nearest == "round_prefer_floor") rounded = std::ceil(position - 0.5f);
  if (sampling.nearest == "round_prefer_ceil") rounded = std::floor(position + 0.5f);
  return std::clamp<int64_t>(static_cast<int64_t>(rounded), 0, in - 1);
}

/// A tensor seen around one axis.
struct AxisView {
  int64_t outer, inner;
};

AxisView view_around(const Shape& shape, size_t axis) {
  return {dims_product(shape, 0, axis), dims_product(shape, axis + 1, shape.size())};
}

void nearest_axis(const Sampling& sampling, const AxisResize& axis, AxisView view, const Tensor& in, Tensor& out) {
  const int64_t row = view.inner * static_cast<int64_t>(dtype_size(in.dtype()));
  const std::byte* from = in.bytes().data();
  auto* to = const_cast<std::byte*>(out.bytes().data());
  std::vector<int64_t> index;
  for (int64_t i = 0; i < axis.out; ++i)
    index.push_back(nearest_index(sampling, source_position(sampling, axis, i), axis.in));
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < axis.out; ++i, to += row)
      std::memcpy(to, from + (o * axis.in + index[static_cast<size_t>(i)]) * row, static_cast<size_t>(row));
}

template <typename T>
void linear_axis(const Sampling& sampling, const AxisResize& axis, AxisView view, const Tensor& in, Tensor& out) {
  const T* x = in.data<T>().data();
  T* y = out.mutable_data<T>().data();
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < axis.out; ++i) {
      const float last = static_cast<float>(axis.in - 1);
      const float position = std::clamp(source_position(sampling, axis, i), 0.0f, last);
      const auto low = static_cast<int64_t>(position);
      const int64_t high = std::min(low + 1, axis.in - 1);
      const T weight = static_cast<T>(position - static_cast<float>(low));
      const T *a = x + (o * axis.in + low) * view.inner, *b = x + (o * axis.in + high) * view.inner;
      for (int64_t k = 0; k < view.inner; ++k) *y++ = a[k] * (T(1) - weight) + b[k] * weight;
    }
}

/// Both modes are separable: one axis after the other.
void evaluate_resize(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  std::vector<InputInfo> infos;
  for (const Tensor* input : c.inputs)
    infos.push_back(input == nullptr ? InputInfo{} : InputInfo{true, input->dtype(), input->shape(), input});
  const Sampling sampling = sampling_of(c.node, c.opset);
  const std::vector<AxisResize> axes = axes_of({c.node, c.opset, infos}, c.input(0).shape()).value();
  Tensor current = c.input(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!axes[i].changes()) continue;
    Shape shape = current.shape();
    const AxisView view = view_around(shape, i);
    shape[i] = axes[i].out;
    Tensor next(current.dtype(), shape);
    if (sampling.mode == "nearest") {
      nearest_axis(sampling, axes[i], view, current, next);
    } else {
      with_float_type(c.node, current.dtype(),
                      [&](auto type) { linear_axis<decltype(type)>(sampling, axes[i], view, current, next); });
    }
    current = next;
  }
  c.output() = current;
}

const Operator kOperators[] = {
    {"", "Resize", 1, 4, infer_resize, evaluate_resize, 10},
    {"", "Upsample", 1, 2, infer_resize, evaluate_resize, 7},
};

}  // namespace

std::span<const Operator> resize_operators() { return kOperators; }

}  // namespace effdet::ops
