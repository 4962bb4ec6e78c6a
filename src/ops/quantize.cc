// Between floats and the 8-, 16- and 32-bit integers that stand for them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "ops/cast.h"
#include "ops/operators.h"
#include "ops/quantized_nodes.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// The smallest and largest value of an integer type of at most 32 bits.
struct TypeRange {
  double low, high;
};

TypeRange limits_of(const ir::Node& node, DType dtype) {
  switch (dtype) {
    case DType::kU8:
      return {0, 255};
    case DType::kI8:
      return {-128, 127};
    case DType::kU16:
      return {0, 65535};
    case DType::kI16:
      return {-32768, 32767};
    case DType::kI32:
      return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    default:
      fail(ErrorCode::kUnsupported, "{}: type {} is not supported", node_label(node), dtype_name(dtype));
  }
}

/// Whether a scale or zero point of that shape is one for the whole tensor: a scalar or a list of one.
bool is_single(const Shape& shape) { return shape.empty() || shape == Shape{1}; }

/// The shape that scales have in blocks along the axis, the last of which may be shorter.
Shape block_shape(const InferContext& c, size_t axis, int64_t block) {
  Shape blocks = *c.shape(0);
  blocks[axis] = (blocks[axis] + block - 1) / block;
  return blocks;
}

/// Scale and zero point are one for all, one for each position of the axis, or one for each block along it. One for all
/// may be a scalar or a list of one, and the two need not agree in that: ONNX Runtime's quantizer writes both.
void check_scale(const InferContext& c) {
  require_float(c, 1);
  require_scales(c, 1);
  const int64_t block = c.node.get_int("block_size", 0);
  if (block < 0) node_error(c.node, "block_size is {}", block);
  if (!c.shape(0) || !c.shape(1) || !is_known(*c.shape(0)) || !is_known(*c.shape(1))) return;
  const Shape &x = *c.shape(0), &scale = *c.shape(1);
  const bool zero_known = c.has(2) && c.shape(2) && is_known(*c.shape(2));
  if (zero_known && *c.shape(2) != scale && !(is_single(scale) && is_single(*c.shape(2))))
    node_error(c.node, "scale of shape {} and zero point of {}", shape_text(scale), shape_text(*c.shape(2)));
  if (is_single(scale) && block == 0) return;
  const size_t axis = *axis_of(c, 1);
  if (block > 0 && scale != block_shape(c, axis, block))
    node_error(c.node, "scale of shape {} for an input of {}, whose blocks of {} on axis {} need {}", shape_text(scale),
               shape_text(x), block, axis, shape_text(block_shape(c, axis, block)));
  if (block == 0 && scale != Shape{x[axis]})
    node_error(c.node, "scale of shape {} for an input of {}, which has {} positions on axis {}", shape_text(scale),
               shape_text(x), x[axis], axis);
}

/// Scale or zero point, one value for each element of the input.
std::vector<double> spread(const EvalContext& c, const Tensor& parameter) {
  const Shape& x = c.input(0).shape();
  const Tensor wide = parameter.to(DType::kF64);
  const auto values = wide.data<double>();
  const auto count = static_cast<size_t>(c.input(0).numel());
  if (values.size() == 1) return std::vector<double>(count, values[0]);
  const size_t axis = axis_of(c, 1);
  const AxisView view = view_around(x, axis);
  const int64_t block = std::max<int64_t>(1, c.node.get_int("block_size", 1));
  const bool by_axis = parameter.rank() == 1 && parameter.numel() == view.count;
  const int64_t blocks = by_axis ? view.count : parameter.dim(axis);
  std::vector<double> result(count);
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t position = at / view.inner % view.count;
    const int64_t outer = at / (view.inner * view.count), inner = at % view.inner;
    result[i] =
        values[static_cast<size_t>(by_axis ? position : (outer * blocks + position / block) * view.inner + inner)];
  }
  return result;
}

DType quantized_type(const InferContext& c) {
  const int64_t code = c.node.get_int("output_dtype", 0);
  if (!c.has(2)) return code == 0 ? DType::kU8 : dtype_of_onnx(c.node, code);
  const DType zero = c.dtype(2);
  if (code != 0 && dtype_of_onnx(c.node, code) != zero)
    node_error(c.node, "output_dtype is {}, the zero point has type {}", dtype_name(dtype_of_onnx(c.node, code)),
               dtype_name(zero));
  return zero;
}

/// The type that opset 23's attribute asks the division to be done in. The default is float32, as that of every
/// runtime.
DType division_type(const ir::Node& node) {
  const int64_t precision = node.get_int("precision", 0);
  const DType dtype = precision == 0 ? DType::kF32 : dtype_of_onnx(node, precision);
  if (dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16) return dtype;
  fail(ErrorCode::kUnsupported, "{}: precision {} is not supported", node_label(node), dtype_name(dtype));
}

std::vector<Inferred> infer_quantize(const InferContext& c) {
  if (c.dtype(0) != DType::kI32) require_float(c);
  check_scale(c);
  division_type(c.node);
  const DType dtype = quantized_type(c);
  limits_of(c.node, dtype);
  if (dtype == DType::kI32) node_error(c.node, "makes codes of int32, and there are none but of 8 and 16 bits");
  return {{dtype, c.shape(0)}};
}

/// Rounds halves to even and stays within the type.
double quantized(double x, double scale, double zero, TypeRange limits) {
  const double value = std::nearbyint(x / scale) + zero;
  return std::isnan(value) ? zero : std::clamp(value, limits.low, limits.high);
}

void evaluate_quantize(const EvalContext& c) {
  const DType dtype = c.output().dtype();
  const TypeRange limits = limits_of(c.node, dtype);
  const std::vector<double> scale = spread(c, c.input(1));
  const std::vector<double> zero = c.has(2) ? spread(c, c.input(2)) : std::vector<double>(scale.size(), 0);
  const DType division = division_type(c.node);  // halves may depend on it
  const auto rounded = [&](const Tensor& tensor) { return tensor.to(division).to(DType::kF32); };
  Tensor ratio = rounded(c.input(0)), divisor = rounded(Tensor::from<double>(c.output().shape(), scale));
  ratio = expanded(ratio, ratio.shape());
  for (size_t i = 0; i < scale.size(); ++i) ratio.mutable_data<float>()[i] /= divisor.data<float>()[i];
  ratio = rounded(ratio);
  Tensor result(DType::kF64, c.output().shape());
  for (size_t i = 0; i < scale.size(); ++i)
    result.mutable_data<double>()[i] = quantized(ratio.data<float>()[i], 1, zero[i], limits);
  c.output() = result.to(dtype);
}

std::vector<Inferred> infer_dequantize(const InferContext& c) {
  limits_of(c.node, c.dtype(0));
  check_scale(c);
  if (c.has(2) && c.dtype(2) != c.dtype(0))
    node_error(c.node, "{} with a zero point of {}", dtype_name(c.dtype(0)), dtype_name(c.dtype(2)));
  const int64_t code = c.node.get_int("output_dtype", 0);  // opset 23
  const DType dtype = code == 0 ? c.dtype(1) : dtype_of_onnx(c.node, code);
  if (!is_float(dtype)) node_error(c.node, "output_dtype is {}", dtype_name(dtype));
  return {{dtype, c.shape(0)}};
}

void evaluate_dequantize(const EvalContext& c) {
  const std::vector<double> scale = spread(c, c.input(1));
  const std::vector<double> zero = c.has(2) ? spread(c, c.input(2)) : std::vector<double>(scale.size(), 0);
  const Tensor wide = c.input(0).to(DType::kF64);
  Tensor result(DType::kF64, c.output().shape());
  for (size_t i = 0; i < scale.size(); ++i)
    result.mutable_data<double>()[i] = (wide.data<double>()[i] - zero[i]) * scale[i];
  c.output() = result.to(c.output().dtype());
}

std::vector<Inferred> infer_dynamic_quantize(const InferContext& c) {
  if (c.dtype(0) != DType::kF32) node_error(c.node, "quantizes {}, not float32", dtype_name(c.dtype(0)));
  return {{DType::kU8, c.shape(0)}, {DType::kF32, Shape{}}, {DType::kU8, Shape{}}};
}

/// The range of the values, 0 included, over 0 to 255. Of nothing but zeros the scale is 1, as in ONNX Runtime.
void evaluate_dynamic_quantize(const EvalContext& c) {
  const auto x = c.input(0).data<float>();
  float low = 0, high = 0;
  for (float value : x) low = std::min(low, value), high = std::max(high, value);
  const float scale = high == low ? 1 : (high - low) / 255;
  const float zero = std::clamp(std::nearbyint(-low / scale), 0.0f, 255.0f);
  const auto y = c.output().mutable_data<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i) y[i] = static_cast<uint8_t>(quantized(x[i] / scale, 1, zero, {0, 255}));
  if (c.outputs.size() > 1 && !c.output(1).empty()) c.output(1) = Tensor::scalar(scale);
  if (c.outputs.size() > 2 && !c.output(2).empty()) c.output(2) = Tensor::scalar(static_cast<uint8_t>(zero));
}

}  // namespace

void require_scales(const InferContext& c, size_t i) {
  const Tensor* scale = c.value(i);
  if (scale == nullptr) return;
  const Tensor wide = scale->to(DType::kF64);
  const auto values = wide.data<double>();
  const auto bad = std::ranges::find_if(values, [](double x) { return !(x > 0) || !std::isfinite(x); });
  if (bad == values.end()) return;
  const std::string place = values.size() == 1 ? "" : fmt::format(" {}", bad - values.begin());
  node_error(c.node, "scale{} is {}, not a positive number", place, *bad);
}

std::span<const Operator> quantize_operators() {
  static constexpr Operator kOperators[] = {
      {"", "QuantizeLinear", 2, 3, infer_quantize, evaluate_quantize, kMixes, 10},
      {"", "DequantizeLinear", 2, 3, infer_dequantize, evaluate_dequantize, kMixes, 10},
      {"", "DynamicQuantizeLinear", 1, 1, infer_dynamic_quantize, evaluate_dynamic_quantize, kMixes, 11, 3},
  };
  return kOperators;
}

}  // namespace effdet::ops
