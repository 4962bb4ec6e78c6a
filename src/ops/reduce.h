// Which values a reduction takes together, for kernels that do it otherwise.
#pragma once

#include "ops/util.h"

namespace effdet::ops {

/// A reduction's input, or a global pool's, as [outer][count][inner], where count goes; nothing where the axes are not
/// known or other ones of more than one element stand between them.
std::optional<AxisView> reduction_view(const InferContext& c);

}  // namespace effdet::ops
