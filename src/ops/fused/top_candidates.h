// ai.effdet::TopCandidates(class maps..., box maps...): the highest logits of an image over all levels, with the
// regression values of their anchors: all that is needed of the heads, in a thousandth of their bytes.
#pragma once

#include <span>

#include "ops/op.h"

namespace effdet::ops {

struct TopCandidatesAttributes {
  int64_t count = 0;    ///< candidates of an image
  int64_t classes = 0;  ///< class maps have anchors * classes planes, anchor-major; box maps anchors * 4

  /// kBadInput for values that no TopCandidates has.
  static TopCandidatesAttributes of(const ir::Node& node);
};

/// Values of a row of candidates: logit, anchor (its number over all levels), class, ty, tx, th, tw. Rows are in order
/// of falling logits, of equal ones that with the lower index comes first (cell, anchor, class); NaN and -inf are never
/// taken. Rows that are filled up have the logit -inf, and zeros.
inline constexpr int64_t kCandidateValues = 7;

/// The most levels that there are, and values that the class maps of an image have: a float holds an anchor's number.
inline constexpr size_t kMostLevels = 16;
inline constexpr int64_t kMostAnchors = int64_t{1} << 24, kMostLogits = (int64_t{1} << 32) - 1;

}  // namespace effdet::ops
