// Resize and Upsample.
#include "ops/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/fused/maps.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// How one axis is resized. The scale is kept as given: it need not be output / input.
struct AxisResize {
  int64_t in = 0, out = 0;
  float scale = 1;
  float length = 0;                  ///< of the output, before it was rounded down to a whole number
  float roi_begin = 0, roi_end = 1;  ///< the part of the input that tf_crop_and_resize takes
};

/// A node's way of sampling. Opset 9 and 10 know only "asymmetric" with rounding down.
struct Sampling {
  std::string mode, coordinates = "asymmetric", nearest = "floor";
  bool antialias = false, exclude_outside = false;
  float cubic_coefficient = -0.75f, extrapolation = 0;

  bool crops() const { return coordinates == "tf_crop_and_resize"; }
};

Sampling sampling_of(const ir::Node& node, int64_t opset) {
  Sampling sampling{node.get_string("mode", "nearest")};
  if (node.op == "Resize" && opset >= 11) {
    sampling.coordinates = node.get_string("coordinate_transformation_mode", "half_pixel");
    sampling.nearest = node.get_string("nearest_mode", "round_prefer_floor");
    sampling.antialias = node.get_int("antialias", 0) != 0;
    sampling.exclude_outside = node.get_int("exclude_outside", 0) != 0;
    sampling.cubic_coefficient = node.get_float("cubic_coeff_a", -0.75f);
    sampling.extrapolation = node.get_float("extrapolation_value", 0);
  }
  if (sampling.mode == "bilinear") sampling.mode = "linear";
  const auto require = [&](const std::string& value, std::initializer_list<std::string_view> values) {
    if (std::ranges::find(values, value) == values.end())
      fail(ErrorCode::kUnsupported, "{}: '{}' is not supported", node_label(node), value);
  };
  require(sampling.mode, {"nearest", "linear", "cubic"});
  require(sampling.coordinates, {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                 "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"});
  require(sampling.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
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
  const float length = static_cast<float>(in) * scale, size = std::floor(length);
  if (!(scale > 0) || !std::isfinite(scale) || !(size <= static_cast<float>(kMaxElements)))
    node_error(node, "scale {} of dimension {} is out of range", scale, in);
  return {in, static_cast<int64_t>(size), scale, length};
}

AxisResize by_size(const ir::Node& node, int64_t in, int64_t out) {
  if (out < 0 || out > kMaxElements || (in == 0 && out > 0)) node_error(node, "resizes {} to {}", in, out);
  return {in, out, in == 0 ? 1.0f : static_cast<float>(out) / static_cast<float>(in), static_cast<float>(out)};
}

/// The dimensions that scales, sizes and the region speak of: all of them, or the attribute axes (opset 18).
std::vector<size_t> resized_axes(const ir::Node& node, size_t rank) {
  std::vector<int64_t> axes = node.get_ints("axes", {});
  if (node.find("axes") == nullptr)
    for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  for (int64_t& axis : axes) axis = normalize_axis(node, axis, static_cast<int64_t>(rank));
  normalize_axes(node, axes, static_cast<int64_t>(rank));  // none twice
  return {axes.begin(), axes.end()};
}

using Sizes = std::vector<std::optional<int64_t>>;

/// Sizes that keep the proportions: one scale for all, the smallest or the largest that the sizes ask for. Returns that
/// scale; nothing where each axis has its own, or where it is not known.
std::optional<float> keep_aspect_ratio(const InferContext& c, const Shape& shape, const std::vector<size_t>& axes,
                                       Sizes& sizes) {
  const std::string policy = c.node.get_string("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") return std::nullopt;
  if (policy != "not_larger" && policy != "not_smaller") node_error(c.node, "keep_aspect_ratio_policy is '{}'", policy);
  std::optional<float> scale;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!sizes[i] || shape[axes[i]] < 0) {  // one that is unknown leaves all open
      sizes.assign(sizes.size(), std::nullopt);
      return std::nullopt;
    }
    const float own = by_size(c.node, shape[axes[i]], *sizes[i]).scale;
    const bool better = !scale || (policy == "not_larger" ? own < *scale : own > *scale);
    if (better) scale = own;
  }
  for (size_t i = 0; i < axes.size(); ++i)
    sizes[i] = static_cast<int64_t>(std::round(static_cast<float>(shape[axes[i]]) * *scale));
  return scale;
}

/// What happens to each axis, or nothing where scales or sizes are not known yet. Unknown dimensions stay -1.
std::optional<std::vector<AxisResize>> axes_of(const InferContext& c, const Shape& shape) {
  const auto scales = scales_of(c);
  const bool sized = c.has(3);
  std::optional<Sizes> sizes = sized ? c.some_ints(3) : std::nullopt;
  if (!scales || (sized && !sizes)) return std::nullopt;
  const bool by_sizes = sized && !sizes->empty();
  if (by_sizes == !scales->empty()) node_error(c.node, "needs either scales or sizes");
  const std::vector<size_t> resized = resized_axes(c.node, shape.size());
  const size_t count = by_sizes ? sizes->size() : scales->size();
  if (count != resized.size()) node_error(c.node, "{} scales or sizes for {} dimensions", count, resized.size());
  std::vector<AxisResize> axes;
  for (int64_t dim : shape) axes.push_back({dim, dim, 1, static_cast<float>(dim)});
  std::optional<float> common;
  if (by_sizes) common = keep_aspect_ratio(c, shape, resized, *sizes);
  for (size_t i = 0; i < count; ++i) {
    AxisResize& axis = axes[resized[i]];
    if (axis.in < 0 || (by_sizes && !(*sizes)[i])) {
      axis = {-1, by_sizes ? (*sizes)[i].value_or(-1) : -1, 1};
    } else {
      axis = by_sizes ? by_size(c.node, axis.in, *(*sizes)[i]) : by_scale(c.node, axis.in, (*scales)[i]);
      if (common) axis.scale = *common, axis.length = static_cast<float>(axis.in) * *common;
    }
  }
  return axes;
}

/// The region of tf_crop_and_resize: begins, then ends, as parts of the input.
void read_region(const EvalContext& c, std::vector<AxisResize>& axes) {
  const std::vector<size_t> resized = resized_axes(c.node, axes.size());
  if (!c.has(1) || c.input(1).numel() != static_cast<int64_t>(2 * resized.size()))
    node_error(c.node, "roi is missing or has another size than {}", 2 * resized.size());
  const Tensor wide = c.input(1).to(DType::kF32);
  for (size_t i = 0; i < resized.size(); ++i) {
    axes[resized[i]].roi_begin = wide.data<float>()[i];
    axes[resized[i]].roi_end = wide.data<float>()[resized.size() + i];
  }
}

std::vector<Inferred> infer_resize(const InferContext& c) {
  const Sampling sampling = sampling_of(c.node, c.opset);
  if (sampling.mode != "nearest") require_number(c);
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  const auto axes = axes_of(c, *c.shape(0));
  if (!axes) return {{c.dtype(0), Shape(c.shape(0)->size(), -1)}};
  Shape result;
  for (const AxisResize& axis : *axes) result.push_back(axis.out);
  return {{c.dtype(0), result}};
}

/// Position in the input of output position i (in float, as ONNX Runtime computes it).
float source_position(const Sampling& sampling, const AxisResize& axis, int64_t i) {
  const auto x = static_cast<float>(i), last = static_cast<float>(axis.in - 1);
  const std::string& mode = sampling.coordinates;
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5f) / axis.scale;
  // The last position is the last pixel, as PyTorch, which exports fractional scales, means it; ONNX's own tests take
  // the length before rounding.
  if (mode == "align_corners") return axis.out == 1 ? 0 : x * last / static_cast<float>(axis.out - 1);
  if (mode == "tf_crop_and_resize") {
    if (axis.out <= 1) return 0.5f * (axis.roi_begin + axis.roi_end) * last;
    return axis.roi_begin * last + x * (axis.roi_end - axis.roi_begin) * last / static_cast<float>(axis.out - 1);
  }
  if (mode == "pytorch_half_pixel" && axis.out <= 1) return 0;
  const float half_pixel = (x + 0.5f) / axis.scale - 0.5f;
  if (mode == "half_pixel_symmetric")
    return static_cast<float>(axis.in) / 2 * (1 - static_cast<float>(axis.out) / axis.length) + half_pixel;
  return half_pixel;
}

int64_t nearest_index(const Sampling& sampling, float position, int64_t in) {
  float rounded = std::floor(position);
  if (sampling.nearest == "ceil") rounded = std::ceil(position);
  if (sampling.nearest == "round_prefer_floor") rounded = std::ceil(position - 0.5f);
  if (sampling.nearest == "round_prefer_ceil") rounded = std::floor(position + 0.5f);
  return static_cast<int64_t>(std::clamp(rounded, 0.0f, static_cast<float>(in - 1)));
}

/// Whether an axis's values change at all: another region or size, or positions between the input's.
bool changes(const Sampling& sampling, const AxisResize& axis) {
  return axis.in != axis.out || axis.scale != 1 || (sampling.crops() && (axis.roi_begin != 0 || axis.roi_end != 1));
}

float cubic(float distance, float a) {
  const float x = std::abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// Input positions and their weights for one output position.
struct Taps {
  std::vector<int64_t> index;
  std::vector<float> weight;
};

/// The kernel's values around the position; stretched by 1 / scale where it shrinks with antialias.
Taps taps_at(const Sampling& sampling, const AxisResize& axis, int64_t i) {
  const bool is_cubic = sampling.mode == "cubic";
  const float last = static_cast<float>(axis.in - 1);
  float position = source_position(sampling, axis, i);
  position = std::clamp(position, -2 * last - 4, 3 * last + 4);  // of hostile regions: the same edge, but in range
  const float squeeze = sampling.antialias ? std::min(axis.scale, 1.0f) : 1.0f;
  // A kernel wider than the input would only repeat its edges.
  const float radius = std::min((is_cubic ? 2.0f : 1.0f) / squeeze, 2 * last + 4);
  Taps taps;
  float sum = 0;
  for (auto k = static_cast<int64_t>(std::ceil(position - radius)); static_cast<float>(k) <= position + radius; ++k) {
    const float distance = (static_cast<float>(k) - position) * squeeze;
    const float weight =
        is_cubic ? cubic(distance, sampling.cubic_coefficient) : std::max(0.0f, 1 - std::abs(distance));
    if (weight == 0 || (sampling.exclude_outside && (k < 0 || k >= axis.in))) continue;
    taps.index.push_back(std::clamp<int64_t>(k, 0, axis.in - 1));
    taps.weight.push_back(weight);
    sum += weight;
  }
  if (sampling.antialias || sampling.exclude_outside)
    for (float& weight : taps.weight) weight /= sum == 0 ? 1 : sum;
  return taps;
}

void nearest_axis(const Sampling& sampling, const AxisResize& axis, AxisView view, const Tensor& in, Tensor& out) {
  const int64_t row = view.inner * static_cast<int64_t>(dtype_size(in.dtype()));
  const std::byte* from = in.bytes().data();
  std::byte* to = out.mutable_bytes().data();
  std::vector<int64_t> index;
  for (int64_t i = 0; i < axis.out; ++i)
    index.push_back(nearest_index(sampling, source_position(sampling, axis, i), axis.in));
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < axis.out; ++i, to += row)
      std::memcpy(to, from + (o * axis.in + index[static_cast<size_t>(i)]) * row, static_cast<size_t>(row));
}

template <typename T>
void weighted_axis(const Sampling& sampling, const AxisResize& axis, AxisView view, const Tensor& in, Tensor& out) {
  const T* x = in.data<T>().data();
  T* y = out.mutable_data<T>().data();
  for (int64_t i = 0; i < axis.out; ++i) {
    const Taps taps = taps_at(sampling, axis, i);
    for (int64_t o = 0; o < view.outer; ++o) {
      T* to = y + (o * axis.out + i) * view.inner;
      for (size_t tap = 0; tap < taps.index.size(); ++tap) {
        const T* from = x + (o * axis.in + taps.index[tap]) * view.inner;
        for (int64_t k = 0; k < view.inner; ++k) to[k] += from[k] * static_cast<T>(taps.weight[tap]);
      }
    }
  }
}

/// What tf_crop_and_resize reads outside of the input becomes the extrapolation value.
void fill_outside(const Sampling& sampling, const std::vector<AxisResize>& axes, Tensor& output) {
  const Tensor value = Tensor::scalar(sampling.extrapolation).to(output.dtype());
  const size_t size = dtype_size(output.dtype());
  for (size_t d = 0; d < axes.size(); ++d) {
    const AxisView view = view_around(output.shape(), d);
    for (int64_t i = 0; i < axes[d].out; ++i) {
      const float position = source_position(sampling, axes[d], i);
      if (position >= 0 && position <= static_cast<float>(axes[d].in - 1)) continue;
      for (int64_t o = 0; o < view.outer; ++o)
        for (int64_t k = 0; k < view.inner; ++k)
          std::memcpy(output.mutable_bytes().data() + static_cast<size_t>((o * view.count + i) * view.inner + k) * size,
                      value.bytes().data(), size);
    }
  }
}

/// The nearest whole numbers that the type has.
Tensor rounded_to(DType dtype, Tensor numbers) {
  for (double& x : numbers.mutable_data<double>()) x = std::floor(x + 0.5);
  return numbers.to(dtype).to(DType::kF64);
}

/// Every mode is separable: one axis after the other. Whole numbers are computed with in float64 and cut off in the
/// end; with antialias, they are rounded after each axis, as ONNX Runtime and Pillow do, which begin with the last.
void evaluate_resize(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const std::vector<InputInfo> infos = input_infos(c);
  const Sampling sampling = sampling_of(c.node, c.opset);
  std::vector<AxisResize> axes = axes_of({c.node, c.opset, infos}, c.input(0).shape()).value();
  if (sampling.crops()) read_region(c, axes);
  const bool weighted = sampling.mode != "nearest";
  Tensor current = weighted && !is_float(c.input(0).dtype()) ? c.input(0).to(DType::kF64) : c.input(0);
  const bool rounds = sampling.antialias && weighted && !is_float(c.input(0).dtype());
  for (size_t step = 0; step < axes.size(); ++step) {
    const size_t i = rounds ? axes.size() - 1 - step : step;
    if (!changes(sampling, axes[i])) continue;
    Shape shape = current.shape();
    const AxisView view = view_around(shape, i);
    shape[i] = axes[i].out;
    Tensor next(current.dtype(), shape);
    if (weighted) {
      with_float_type(c.node, current.dtype(),
                      [&](auto type) { weighted_axis<decltype(type)>(sampling, axes[i], view, current, next); });
    } else {
      nearest_axis(sampling, axes[i], view, current, next);
    }
    current = rounds ? rounded_to(c.input(0).dtype(), std::move(next)) : next;
  }
  if (sampling.crops()) {
    if (current.bytes().data() == c.input(0).bytes().data()) current = expanded(current, current.shape());
    fill_outside(sampling, axes, current);
  }
  c.output() = current;  // evaluate_node turns it back into the output's type
}

/// The same as two taps, whichever way the node samples.
TwoTaps two_taps_at(const Sampling& sampling, const AxisResize& axis, int64_t i) {
  if (sampling.mode == "nearest") {
    const int64_t index = nearest_index(sampling, source_position(sampling, axis, i), axis.in);
    return {{index, index}, {0.5f, 0.5f}};
  }
  const Taps taps = taps_at(sampling, axis, i);
  if (taps.index.size() == 2) return {{taps.index[0], taps.index[1]}, {taps.weight[0], taps.weight[1]}};
  return {{taps.index.at(0), taps.index[0]}, {taps.weight[0] / 2, taps.weight[0] / 2}};
}

}  // namespace

bool is_nearest_resize(const ir::Node& node) {
  return node.is("Resize") && node.get_string("mode", "nearest") == "nearest" &&
         node.get_string("coordinate_transformation_mode", "") != "tf_crop_and_resize";
}

std::optional<std::vector<std::vector<TwoTaps>>> resize_taps(const InferContext& c) {
  const Sampling sampling = sampling_of(c.node, c.opset);
  const auto axes = c.shape(0) ? axes_of(c, *c.shape(0)) : std::nullopt;
  if (!axes || sampling.crops() || sampling.mode == "cubic" || sampling.antialias || sampling.exclude_outside)
    return std::nullopt;
  std::vector<std::vector<TwoTaps>> taps(axes->size());
  for (size_t d = 0; d < taps.size(); ++d) {
    if (!changes(sampling, (*axes)[d])) continue;
    for (int64_t i = 0; i < (*axes)[d].out; ++i) taps[d].push_back(two_taps_at(sampling, (*axes)[d], i));
  }
  return taps;
}

std::span<const Operator> resize_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap, Slot::kOther};
  static constexpr Card kResize{
      .batch = Batch::kByImage, .slots = kSlots, .map_types = kMapTypes, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "Resize", 1, 4, infer_resize, evaluate_resize, kResize, 10},
      {"", "Upsample", 1, 2, infer_resize, evaluate_resize, kByImage, 7},
  };
  return kOperators;
}

}  // namespace effdet::ops
