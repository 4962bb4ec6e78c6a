// The reference implementation of every operator: the naive kernel of src/ops on the step's tensors.
#pragma once

#include "kernels/kernel.h"

namespace effdet::kernels {

Plan plan_reference(const PlanContext& context);

}  // namespace effdet::kernels
