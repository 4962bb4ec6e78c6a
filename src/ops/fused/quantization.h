// Quantized maps among a fused operator's attributes, and the arithmetic that reference kernels share: sums to maps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/fused/activation_steps.h"
#include "ops/fused/layout.h"
#include "ops/fused/requantize.h"
#include "ops/fused/window.h"

namespace effdet::ops {

/// The attributes `<map>_scale` (float) and `<map>_zero_point` (int): of a map of uint8. Nothing where both are absent.
/// kBadInput for one without the other, a scale that is not positive, and a zero point that is no uint8.
std::optional<Quantization> quantization_of(const ir::Node& node, std::string_view map);
void set_quantization(ir::Node& node, std::string_view map, const Quantization& quantization);
/// The same for the maps that an operator takes any number of: lists `<map>_scales` and `<map>_zero_points`.
std::vector<Quantization> quantizations_of(const ir::Node& node, std::string_view map);
void set_quantizations(ir::Node& node, std::string_view map, const std::vector<Quantization>& quantizations);

/// Scales of maps and weights lie between these, so that sums of their products stay finite.
inline constexpr float kSmallestScale = 1e-30f, kLargestScale = 1e30f;
inline bool is_scale(float scale) { return scale >= kSmallestScale && scale <= kLargestScale; }

/// Fails where a map of uint8 has no quantization, and where one of floats has.
void require_quantization(const ir::Node& node, std::string_view map, DType dtype, bool given);

/// Fails for an activation that Requantizer does not take, and for steps after it.
void require_rounding(const ir::Node& node, const ActivationSteps& activation);

/// The most values under a window whose products with int8 weights fit into 32 bits.
inline constexpr int64_t kMaxCodesDepth = 1 << 16;

/// A layer of int8 weights [o, i, kh, kw] on NCHW codes, with biases [o] or more: the exact sums, modulo 2^32, int32
/// NCHW. Padding is the zero point.
Tensor convolve_codes(const EvalContext& c, const Window2d& window, const Tensor& codes, int32_t zero_point,
                      const Tensor& weights, const Tensor& bias, int64_t group);

/// int8 weights [o, ...] times the scale of their output channel.
Tensor dequantized_weights(const Tensor& weights, const Tensor& scales);

/// What follows a layer's sums: residual, activation, rounding.
struct SumsToMap {
  ActivationSteps activation;
  std::optional<Quantization> y;               ///< of an output of uint8
  const Tensor* residual = nullptr;            ///< in the output's layout; null: none
  std::optional<Quantization> residual_codes;  ///< of a residual of uint8
  Layout layout = Layout::kPlain;              ///< of the output

  /// sums: NCHW; a step of channel n stands for scales[n]. Writes the node's first output, and returns it as NCHW
  /// floats, or codes.
  Tensor write(const EvalContext& c, const Tensor& sums, std::span<const float> scales) const;
};

}  // namespace effdet::ops
