// Rounds weights and biases.
#include "quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/fused/quantization.h"

namespace effdet::quantize {
namespace {

/// Largest magnitude of a weight's code: the range is symmetric.
constexpr double kLargestCode = 127;
/// Of a bias: leaves the sum of all products room in 32 bits.
constexpr double kLargestBias = 1 << 30;

ChannelCodes codes_for(const Tensor& weights, const Tensor& scales) {
  Tensor codes(DType::kI8, weights.shape());
  const auto from = weights.data<float>();
  const auto to = codes.mutable_data<int8_t>();
  const size_t row = from.size() / static_cast<size_t>(weights.dim(0));
  for (size_t i = 0; i < from.size(); ++i) {
    const double code =
        std::nearbyint(static_cast<double>(from[i]) / static_cast<double>(scales.data<float>()[i / row]));
    to[i] = static_cast<int8_t>(std::clamp(code, -kLargestCode, kLargestCode));
  }
  return {std::move(codes), scales};
}

}  // namespace

ChannelCodes quantize_weights(const Tensor& weights) {
  Tensor scales(DType::kF32, {weights.dim(0)});
  const auto values = weights.data<float>();
  const auto scale = scales.mutable_data<float>();
  const size_t row = values.size() / scale.size();
  for (size_t o = 0; o < scale.size(); ++o) {
    float largest = 0;
    for (const float value : values.subspan(o * row, row)) largest = std::max(largest, std::abs(value));
    // A channel of zeros has codes of 0 with any scale.
    scale[o] = std::max(largest / static_cast<float>(kLargestCode), std::numeric_limits<float>::min());
  }
  return codes_for(weights, scales);
}

std::vector<double> mean_errors(const Tensor& weights, const ChannelCodes& codes, std::span<const double> input_means,
                                int64_t groups) {
  const auto outputs = static_cast<size_t>(weights.dim(0)), inputs = static_cast<size_t>(weights.dim(1));
  const auto places = static_cast<size_t>(weights.numel()) / (outputs * inputs);
  const size_t outputs_of_group = outputs / static_cast<size_t>(groups);
  const Tensor rounded = ops::dequantized_weights(codes.codes, codes.scales);
  const auto exact = weights.data<float>(), given = rounded.data<float>();
  std::vector<double> errors(outputs);
  for (size_t o = 0, at = 0; o < outputs; ++o)
    for (size_t i = 0; i < inputs; ++i)
      for (size_t place = 0; place < places; ++place, ++at)
        errors[o] += (static_cast<double>(given[at]) - static_cast<double>(exact[at])) *
                     input_means[o / outputs_of_group * inputs + i];
  return errors;
}

BiasCodes quantize_bias(std::span<const double> bias, float input_scale, const Tensor& weight_scales) {
  const auto count = static_cast<int64_t>(bias.size());
  BiasCodes result{Tensor(DType::kI32, {count}), Tensor(DType::kF32, {count})};
  for (size_t o = 0; o < bias.size(); ++o) {
    const float scale = input_scale * weight_scales.data<float>()[o];
    result.scales.mutable_data<float>()[o] = scale;
    const double code = std::nearbyint(bias[o] / static_cast<double>(scale));
    result.codes.mutable_data<int32_t>()[o] = static_cast<int32_t>(std::clamp(code, -kLargestBias, kLargestBias));
  }
  return result;
}

void widen_for_bias(const Tensor& weights, std::span<const double> bias, float input_scale, ChannelCodes& codes) {
  Tensor scales = Tensor::from<float>(codes.scales.shape(), codes.scales.data<float>());
  bool changed = false;
  for (size_t o = 0; o < bias.size(); ++o) {
    // The product of the scales must be a normal number, too.
    const double least =
        std::max(std::abs(bias[o]) / kLargestBias, static_cast<double>(std::numeric_limits<float>::min())) /
        static_cast<double>(input_scale);
    float& scale = scales.mutable_data<float>()[o];
    if (static_cast<double>(scale) >= least) continue;
    scale = static_cast<float>(least * (1 + 1e-6));
    changed = true;
  }
  if (changed) codes = codes_for(weights, scales);
}

}  // namespace effdet::quantize
