// Plans of the CPU kernels: partition of the work and layout, over the micro-kernels of one instruction set.
#pragma once

#include "kernels/kernel.h"

namespace effdet::kernels::cpu {

Plan plan_aipp(const PlanContext& context);
Plan plan_winograd(const PlanContext& context);
Plan plan_conv(const PlanContext& context);
/// Of codes by int8 weights.
Plan plan_code_conv(const PlanContext& context);
Plan plan_depthwise(const PlanContext& context);
Plan plan_conv_of_int8_weights(const PlanContext& context);
/// Of maps of 8-bit codes.
Plan plan_depthwise_codes(const PlanContext& context);
Plan plan_gate(const PlanContext& context);
Plan plan_quantize(const PlanContext& context);
Plan plan_dequantize(const PlanContext& context);
Plan plan_table(const PlanContext& context);
Plan plan_depthwise_pointwise(const PlanContext& context);
Plan plan_expand_depthwise(const PlanContext& context);
Plan plan_squeeze_excite(const PlanContext& context);
Plan plan_mix(const PlanContext& context);
Plan plan_max_pool(const PlanContext& context);
Plan plan_activation(const PlanContext& context);
Plan plan_elementwise(const PlanContext& context);
Plan plan_conv_transpose(const PlanContext& context);
Plan plan_average_pool(const PlanContext& context);
Plan plan_lstm(const PlanContext& context);
Plan plan_matmul(const PlanContext& context);
Plan plan_fused_matmul(const PlanContext& context);
Plan plan_softmax(const PlanContext& context);
Plan plan_reduce(const PlanContext& context);
Plan plan_cast(const PlanContext& context);
Plan plan_transpose(const PlanContext& context);
Plan plan_gather(const PlanContext& context);
Plan plan_layer_norm(const PlanContext& context);
Plan plan_depth_to_space(const PlanContext& context);
Plan plan_space_to_depth(const PlanContext& context);
Plan plan_slice(const PlanContext& context);
Plan plan_expand(const PlanContext& context);
/// Of what has the same bytes under another shape.
Plan plan_copy(const PlanContext& context);
Plan plan_concat(const PlanContext& context);
Plan plan_split(const PlanContext& context);
Plan plan_resize(const PlanContext& context);

}  // namespace effdet::kernels::cpu
