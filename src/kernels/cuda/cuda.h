// The plans of steps on a GPU, which list.cc puts in order.
#pragma once

#include "kernels/device.h"
#include "ops/fused/conv.h"

namespace effdet::kernels::cuda {

std::span<const Implementation> implementations();

Plan plan_conv(const PlanContext& c);
Plan plan_matmul(const PlanContext& c);
Plan plan_depthwise(const PlanContext& c);
Plan plan_expand_depthwise(const PlanContext& c);
Plan plan_depthwise_pointwise(const PlanContext& c);
Plan plan_squeeze_excite(const PlanContext& c);
Plan plan_mix(const PlanContext& c);
Plan plan_max_pool(const PlanContext& c);
Plan plan_average_pool(const PlanContext& c);
Plan plan_activation(const PlanContext& c);
Plan plan_top_candidates(const PlanContext& c);
Plan plan_cast(const PlanContext& c);
Plan plan_aipp(const PlanContext& c);
/// Any operator, by its kernel for the CPU, on copies of its tensors.
Plan plan_on_host(const PlanContext& c);

/// Why there is no product of the first input by these weights; empty where there is.
std::string refuse_product(const PlanContext& c, size_t weights, size_t bias);
/// Constant weights of a Conv as OIHW and float32.
Tensor conv_weights(const PlanContext& c, const ops::ConvAttributes& a, int64_t in_channels);

}  // namespace effdet::kernels::cuda
