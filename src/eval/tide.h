// TIDE's error analysis: how much AP each kind of error costs.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/thread_pool.h"
#include "eval/coco_params.h"
#include "eval/coco_results.h"
#include "eval/ground_truth.h"

namespace effdet::eval {

/// The kinds of errors, in tidecv's order. A detection that is not matched is tested for kBox, kClass, kDuplicate and
/// kBackground in turn; "its class" is the detection's.
enum class TideKind {
  kClass,       ///< Cls: IoU of at least 0.5 with an object of another class
  kBox,         ///< Loc: IoU of 0.1 to 0.5 with an object of its class
  kBoth,        ///< Both: none of the other kinds
  kDuplicate,   ///< Dupe: IoU of at least 0.5 with an object of its class that another detection has
  kBackground,  ///< Bkg: IoU of at most 0.1 with every object
  kMissed,      ///< Miss: an object that no error of kBox or kClass would find
};
inline constexpr size_t kNumTideKinds = 6;

struct TideErrors {
  double ap = 0;  ///< 0 to 100: tidecv's AP at IoU 0.5, of the 100 best detections of an image in all classes together
  std::array<double, kNumTideKinds> costs{};   ///< what AP would gain if the errors of one kind were mended, 0 to 100
  std::array<size_t, kNumTideKinds> counts{};  ///< how many there are
  double false_positives = 0;                  ///< what AP would gain if all false positives had the lowest score
  double false_negatives = 0;                  ///< what it would gain if objects that were not found did not count

  bool operator==(const TideErrors&) const = default;
};

/// As tidecv 1.0.1's TIDE.evaluate() and its main and special errors, for boxes of the parameters' images and
/// categories: crowds are regions to ignore. Numbers differ from tidecv's by rounding alone, and have the same bits at
/// any number of threads. Takes up to 64 bytes a result.
TideErrors find_tide_errors(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                            ThreadPool& pool);

}  // namespace effdet::eval
