// Plans of the CPU kernels: partition of the work and layout, over the micro-kernels of one instruction set.
#pragma once

#include "kernels/kernel.h"

namespace effdet::kernels::cpu {

Plan plan_aipp(const PlanContext& context);
Plan plan_winograd(const PlanContext& context);
Plan plan_conv(const PlanContext& context);
Plan plan_depthwise(const PlanContext& context);
Plan plan_depthwise_pointwise(const PlanContext& context);
Plan plan_expand_depthwise(const PlanContext& context);
Plan plan_squeeze_excite(const PlanContext& context);
Plan plan_mix(const PlanContext& context);
Plan plan_max_pool(const PlanContext& context);
Plan plan_activation(const PlanContext& context);
Plan plan_channel_means(const PlanContext& context);
Plan plan_channel_scale(const PlanContext& context);
Plan plan_cast(const PlanContext& context);
Plan plan_transpose(const PlanContext& context);
Plan plan_concat(const PlanContext& context);
Plan plan_split(const PlanContext& context);
Plan plan_resize(const PlanContext& context);

}  // namespace effdet::kernels::cpu
