// Attributes of quantized maps; sums of codes, and what follows them.
#include "ops/fused/quantization.h"

#include <algorithm>
#include <cmath>

#include "ops/fused/maps.h"

namespace effdet::ops {
namespace {

Quantization checked_quantization(const ir::Node& node, std::string_view map, float scale, int64_t zero_point) {
  if (!is_scale(scale))
    node_error(node, "the scale of {} is {}, not between {} and {}", map, scale, kSmallestScale, kLargestScale);
  if (zero_point < 0 || zero_point > 255) node_error(node, "the zero point of {} is {}, no uint8", map, zero_point);
  return {scale, static_cast<int32_t>(zero_point)};
}

}  // namespace

std::optional<Quantization> quantization_of(const ir::Node& node, std::string_view map) {
  const std::string scale = fmt::format("{}_scale", map), zero_point = fmt::format("{}_zero_point", map);
  const bool has_scale = node.find(scale) != nullptr, has_zero_point = node.find(zero_point) != nullptr;
  if (!has_scale && !has_zero_point) return std::nullopt;
  if (has_scale != has_zero_point) node_error(node, "one of the attributes '{}' and '{}' is absent", scale, zero_point);
  return checked_quantization(node, map, node.get_float(scale, 0), node.get_int(zero_point, 0));
}

void set_quantization(ir::Node& node, std::string_view map, const Quantization& quantization) {
  node.attributes[fmt::format("{}_scale", map)] = quantization.scale;
  node.attributes[fmt::format("{}_zero_point", map)] = int64_t{quantization.zero_point};
}

std::vector<Quantization> quantizations_of(const ir::Node& node, std::string_view map) {
  const std::string name = fmt::format("{}_scales", map);
  const std::vector<int64_t> zero_points = node.get_ints(fmt::format("{}_zero_points", map), {});
  const ir::Attribute* attribute = node.find(name);
  const auto* scales = attribute != nullptr ? std::get_if<std::vector<float>>(attribute) : nullptr;
  if (scales == nullptr && attribute != nullptr) node_error(node, "attribute '{}' is no list of floats", name);
  if ((scales == nullptr ? 0 : scales->size()) != zero_points.size())
    node_error(node, "attribute '{}' and the zero points differ in length", name);
  std::vector<Quantization> result;
  for (size_t i = 0; i < zero_points.size(); ++i)
    result.push_back(checked_quantization(node, map, (*scales)[i], zero_points[i]));
  return result;
}

void set_quantizations(ir::Node& node, std::string_view map, const std::vector<Quantization>& quantizations) {
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  for (const Quantization& q : quantizations) {
    scales.push_back(q.scale);
    zero_points.push_back(q.zero_point);
  }
  node.attributes[fmt::format("{}_scales", map)] = scales;
  node.attributes[fmt::format("{}_zero_points", map)] = zero_points;
}

void require_quantization(const ir::Node& node, std::string_view map, DType dtype, bool given) {
  if ((dtype == DType::kU8) == given) return;
  node_error(node, "{} is {}, and its scale and zero point are {}", map, dtype_name(dtype),
             given ? "given" : "not given");
}

void require_rounding(const ir::Node& node, const ActivationSteps& activation) {
  if (!activation.steps.empty() || !Requantizer::takes(activation.activation))
    node_error(node, "an output of uint8 after {}",
               activation.steps.empty() ? activation_name(activation.activation) : "elementwise steps");
}

Tensor convolve_codes(const EvalContext& c, const Window2d& window, const Tensor& codes, int32_t zero_point,
                      const Tensor& weights, const Tensor& bias, int64_t group) {
  ir::Node conv{"ConvInteger", "", c.node.name, {0, 1, 2}, {3}, window_attributes(window)};
  conv.attributes["group"] = group;
  const Tensor zero = Tensor::scalar(static_cast<uint8_t>(zero_point));
  const Tensor* inputs[] = {&codes, &weights, &zero};
  constexpr int64_t kOpset = 11;  // any that has the operator
  Tensor sums = evaluate_node(conv, kOpset, inputs, c.threads).at(0);
  const auto values = sums.mutable_data<int32_t>();
  const auto biases = bias.data<int32_t>();
  const auto plane = static_cast<size_t>(sums.dim(2) * sums.dim(3)), channels = static_cast<size_t>(sums.dim(1));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] =
        static_cast<int32_t>(static_cast<uint32_t>(values[i]) + static_cast<uint32_t>(biases[i / plane % channels]));
  return sums;
}

Tensor dequantized_weights(const Tensor& weights, const Tensor& scales) {
  Tensor result(DType::kF32, weights.shape());
  const auto from = weights.data<int8_t>();
  const auto to = result.mutable_data<float>();
  const size_t channel = to.size() / static_cast<size_t>(std::max<int64_t>(1, weights.dim(0)));
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(from[i]) * scales.data<float>()[i / channel];
  return result;
}

Tensor SumsToMap::write(const EvalContext& c, const Tensor& sums, std::span<const float> scales) const {
  Tensor y_map(DType::kF32, sums.shape());
  const auto values = y_map.mutable_data<float>();
  const Tensor floats = sums.to(DType::kF32);
  const auto from = floats.data<float>();
  const auto plane = static_cast<size_t>(sums.dim(2) * sums.dim(3)), channels = static_cast<size_t>(sums.dim(1));
  std::optional<Requantizer> requantizer;
  if (y) requantizer.emplace(activation.activation, *y);
  const auto multiplier = [&](float scale) { return requantizer ? requantizer->multiplier(scale) : scale; };
  for (size_t i = 0; i < values.size(); ++i) values[i] = from[i] * multiplier(scales[i / plane % channels]);
  if (residual != nullptr) {
    const Tensor added = input_nchw(*residual, layout);
    const auto terms = added.data<float>();
    const auto zero = static_cast<float>(residual_codes ? residual_codes->zero_point : 0);
    const float factor = multiplier(residual_codes ? residual_codes->scale : 1.0f);
    for (size_t i = 0; i < values.size(); ++i) values[i] += (terms[i] - zero) * factor;
  }
  if (requantizer) {
    for (float& value : values) value = requantizer->code(value);
  } else {
    activate(c.node, activation, y_map);
  }
  write_output(c, y_map, layout);
  return y_map;
}

}  // namespace effdet::ops
