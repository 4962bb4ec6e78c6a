// Whether two graphs compute the same, by running both.
#pragma once

#include "base/thread_pool.h"
#include "ir/graph.h"

namespace effdet::passes {

/// Side of the image that large inputs are reduced to.
inline constexpr int64_t kCheckSide = 128;

/// Runs both graphs with the reference kernels on `runs` random inputs (normal, deviation 1) and returns the largest
/// absolute difference of any output, relative to that output's largest magnitude in `a`. Infinite where outputs differ
/// in number, type or shape, or only one has NaN. Image inputs whose sides are multiples of 128 are reduced to 128 x
/// 128 in copies of both graphs, with fixed sizes of Resize nodes scaled along, where both still fit together then; all
/// else runs at full size, which takes minutes for D7. Where both graphs choose (TopK, NonMaxSuppression, ArgMax)
/// between tensors of the same shapes, what they choose from is compared too, and `b` chooses from what `a` does: a
/// rounding error may not turn a choice over. Throws Error(kBadInput) where the inputs differ or are not static, and
/// Error(kOutOfMemory) where the tensors that are alive at a time exceed `memory_limit` bytes.
double check_equivalence(const ir::Graph& a, const ir::Graph& b, int runs, uint64_t seed, ThreadPool* threads = nullptr,
                         uint64_t memory_limit = UINT64_MAX);

}  // namespace effdet::passes
