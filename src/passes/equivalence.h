// Whether two graphs compute the same.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "ir/graph.h"
#include "passes/whole_check.h"

namespace effdet::passes {

/// What check_equivalence found, and how.
struct CheckReport {
  bool same = false;
  double difference = 0;  ///< the largest that was found, of a part or of an output; infinite for another type or shape

  size_t nodes = 0;      ///< of b
  size_t unchanged = 0;  ///< that compute from the same the same as a node of a, and were not run
  size_t parts = 0;      ///< that were run beside what they replace
  size_t reduced = 0;    ///< parts that were run on smaller maps

  enum class Whole { kNot, kReduced, kFull };
  Whole whole = Whole::kNot;  ///< whether both graphs were run from end to end, because comparing parts did not do
  size_t opaque = 0;          ///< nodes of b that nobody understands: compared, not run
  std::vector<std::string> operators;  ///< of these
  /// Outputs that were not compared, for they are computed from what such nodes make, whose type and shape is not
  /// known.
  std::vector<std::string> unchecked;
};

/// Compares b, which was made from a by rewrites that kept the names of what they kept. First by parts: each value that
/// both graphs have under one name is to be the same in both where the values before it are. Where a node does the same
/// with the same inputs, that is certain; else what makes the value, back to other such values, is run in both graphs
/// with the reference kernels on random tensors, large maps made smaller (see compare_part). A value that differs is no
/// such value, and belongs to the parts behind it. Nodes that nobody understands must be the same in both, and what
/// they make is random as an input is. Where an output is left, both graphs are run from end to end, see compare_whole.
/// Throws Error(kBadInput) where the inputs differ or their shapes are not known, and Error(kOutOfMemory) where running
/// takes more than options.memory_limit.
CheckReport check_equivalence(const ir::Graph& a, const ir::Graph& b, const CheckOptions& options,
                              ThreadPool* threads = nullptr);

}  // namespace effdet::passes
