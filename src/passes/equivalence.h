// Whether two graphs compute the same.
#pragma once

#include "base/thread_pool.h"
#include "effdet/onnx_options.h"
#include "ir/graph.h"
#include "passes/whole_check.h"

namespace effdet::passes {

/// Compares b, which was made from a by rewrites that kept the names of what they kept. First by parts: each value that
/// both graphs have under one name is to be the same in both where the values before it are. Where a node does the same
/// with the same inputs, that is certain; else what makes the value, back to other such values, is run in both graphs
/// with the reference kernels on random tensors, large maps made smaller (see compare_part). A value that differs is no
/// such value, and belongs to the parts after it. Nodes that nobody understands must be the same in both, and what
/// they make is random as an input is. Where an output is left, both graphs are run from end to end, see compare_whole.
/// Throws Error(kBadInput) where the inputs differ or their shapes are not known, and Error(kOutOfMemory) where running
/// takes more than options.memory_limit for tensors. ModelCheck counts the nodes of b.
ModelCheck check_equivalence(const ir::Graph& a, const ir::Graph& b, const CheckOptions& options,
                             ThreadPool* threads = nullptr);

}  // namespace effdet::passes
