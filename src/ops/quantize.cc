// Between floats and the 8-, 16- and 32-bit integers that stand for them, and integer products.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "ops/cast.h"
#include "ops/conv.h"
#include "ops/operators.h"
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

/// Scale and zero point are one for all, one for each position of the axis, or one for each block along it. One for all
/// may be a scalar or a list of one, and the two need not agree in that: ONNX Runtime's quantizer writes both.
void check_scale(const InferContext& c) {
  require_float(c, 1);
  if (!c.shape(0) || !c.shape(1) || !is_known(*c.shape(0)) || !is_known(*c.shape(1))) return;
  const Shape &x = *c.shape(0), &scale = *c.shape(1);
  const bool zero_known = c.has(2) && c.shape(2) && is_known(*c.shape(2));
  if (zero_known && *c.shape(2) != scale && !(is_single(scale) && is_single(*c.shape(2))))
    node_error(c.node, "scale of shape {} and zero point of {}", shape_text(scale), shape_text(*c.shape(2)));
  if (is_single(scale)) return;
  const size_t axis = *axis_of(c, 1);
  if (scale.size() == 1 && scale[0] == x[axis]) return;
  const int64_t block = c.node.get_int("block_size", 0);
  Shape blocks = x;
  if (block > 0) blocks[axis] = (x[axis] + block - 1) / block;
  if (block < 1 || scale != blocks)
    node_error(c.node, "scale of shape {} for an input of {}", shape_text(scale), shape_text(x));
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
  if (c.has(2)) return c.dtype(2);
  const int64_t code = c.node.get_int("output_dtype", 0);
  return code == 0 ? DType::kU8 : dtype_of_onnx(c.node, code);
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
  limits_of(c.node, quantized_type(c));
  return {{quantized_type(c), c.shape(0)}};
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
  require_integer(c);
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

/// The range of the values, 0 included, over 0 to 255.
void evaluate_dynamic_quantize(const EvalContext& c) {
  const auto x = c.input(0).data<float>();
  float low = 0, high = 0;
  for (float value : x) low = std::min(low, value), high = std::max(high, value);
  const float scale = (high - low) / 255;
  const float zero = scale == 0 ? 0 : std::clamp(std::nearbyint(-low / scale), 0.0f, 255.0f);
  const auto y = c.output().mutable_data<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = scale == 0 ? 0 : static_cast<uint8_t>(quantized(x[i] / scale, 1, zero, {0, 255}));
  if (c.outputs.size() > 1 && !c.output(1).empty()) c.output(1) = Tensor::scalar(scale);
  if (c.outputs.size() > 2 && !c.output(2).empty()) c.output(2) = Tensor::scalar(static_cast<uint8_t>(zero));
}

/// Convolution of 8-bit integers; exact, since float64 holds every sum below 2^53.
std::vector<Inferred> infer_conv_integer(const InferContext& c) {
  for (size_t i = 0; i < 2; ++i)
    if (c.dtype(i) != DType::kI8 && c.dtype(i) != DType::kU8)
      node_error(c.node, "input {} has type {}, not int8 or uint8", i, dtype_name(c.dtype(i)));
  if (!known_rank(c, 0, 3) || !known_rank(c, 1, 3)) return {{DType::kI32, std::nullopt}};
  return {{DType::kI32, conv_shape(c, *c.shape(0), *c.shape(1), std::nullopt)}};
}

/// x - zero point in float64; the zero point is a scalar, or one for each position of the axis.
Tensor shifted(const ir::Node& node, const Tensor& x, const Tensor* zero, size_t axis) {
  Tensor result = expanded(x.to(DType::kF64), x.shape());
  if (zero == nullptr) return result;
  const Tensor wide = zero->to(DType::kF64);
  const AxisView view = x.rank() == 0 ? AxisView{1, 1, 1} : view_around(x.shape(), std::min(axis, x.rank() - 1));
  if (wide.numel() != 1 && wide.numel() != view.count)
    node_error(node, "zero point of shape {} for {}", shape_text(zero->shape()), shape_text(x.shape()));
  const auto values = result.mutable_data<double>();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto position = static_cast<size_t>(static_cast<int64_t>(i) / view.inner % view.count);
    values[i] -= wide.data<double>()[wide.numel() == 1 ? 0 : position];
  }
  return result;
}

void evaluate_conv_integer(const EvalContext& c) {
  const Tensor x = shifted(c.node, c.input(0), c.has(2) ? &c.input(2) : nullptr, 1);
  const Tensor w = shifted(c.node, c.input(1), c.has(3) ? &c.input(3) : nullptr, 0);
  Tensor y(DType::kF64, c.output().shape());
  convolve(c, x, w, nullptr, y);
  c.output() = y.to(DType::kI32);
}

}  // namespace

std::span<const Operator> quantize_operators() {
  static constexpr Card kConvInteger{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "QuantizeLinear", 2, 3, infer_quantize, evaluate_quantize, kMixes, 10},
      {"", "DequantizeLinear", 2, 3, infer_dequantize, evaluate_dequantize, kMixes, 10},
      {"", "DynamicQuantizeLinear", 1, 1, infer_dynamic_quantize, evaluate_dynamic_quantize, kMixes, 11, 3},
      {"", "ConvInteger", 2, 4, infer_conv_integer, evaluate_conv_integer, kConvInteger, 10},
  };
  return kOperators;
}

}  // namespace effdet::ops
