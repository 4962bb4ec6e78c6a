// Two graphs compared by running both from end to end.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "effdet/onnx_options.h"
#include "ir/graph.h"

namespace effdet::passes {

/// Side of the image that large inputs are reduced to.
inline constexpr int64_t kCheckSide = 128;

/// Throws Error(kBadInput) where the graphs take different inputs.
void require_same_inputs(const ir::Graph& a, const ir::Graph& b);

struct WholeDifference {
  double difference = 0;  ///< the largest of an output, or of a value that was accepted, see relative_difference
  bool same = true;       ///< every output was accepted
  bool reduced = false;   ///< images were made smaller
};

/// Runs both graphs side by side with the reference kernels. Where a value of b differs from the one of its name in a
/// by no more than is accepted, b goes on with that of a: rounding errors do not grow with the depth of a network, and
/// TopK, ArgMax and NonMaxSuppression choose from the same numbers in both. Image inputs whose sides are multiples of
/// 128 are reduced to 128 x 128 in copies of both graphs, with fixed sizes of Resize nodes scaled along, where both
/// still fit together then; all else runs at full size, which takes minutes for D7. The difference is infinite where
/// outputs differ in number, type or shape, or only one has NaN. Throws Error(kBadInput) where the inputs differ or are
/// not static, and Error(kOutOfMemory) where the tensors that are alive at a time take more than options.memory_limit.
WholeDifference compare_whole(const ir::Graph& a, const ir::Graph& b, const CheckOptions& options,
                              ThreadPool* threads = nullptr);

}  // namespace effdet::passes
