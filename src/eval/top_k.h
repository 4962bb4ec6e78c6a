// The k largest of very many floats, in one pass at the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace effdet::eval {

/// A logit and its place in the order that breaks ties.
struct Candidate {
  float logit;
  uint64_t index;
};

/// Collects the k largest logits of all that are offered; of equal ones those with the lower index. NaN and -inf are
/// never among them.
class TopK {
 public:
  /// Values below lowest are not wanted.
  explicit TopK(size_t k, float lowest = std::numeric_limits<float>::lowest());

  /// Offers a plane of values; value i has the index first + i * stride.
  void offer(std::span<const float> plane, uint64_t first, uint64_t stride);
  /// Whether a NaN was among the values so far.
  bool saw_nan() const { return saw_nan_; }
  /// The result, largest first. The collector is empty afterwards.
  std::vector<Candidate> take();

 private:
  void push(float logit, uint64_t index);
  void shrink();

  size_t k_;
  float lowest_;
  /// No value below this one can be among the k largest.
  float threshold_;
  std::vector<Candidate> candidates_;
  bool saw_nan_ = false;
};

}  // namespace effdet::eval
