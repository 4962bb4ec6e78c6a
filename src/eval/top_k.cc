// Compares blocks of values with the lowest candidate kept, and cuts the buffer back now and then.
#include "eval/top_k.h"

#include <algorithm>
#include <utility>

namespace effdet::eval {
namespace {

/// Values that are compared at once; most blocks hold no candidate, so that only the comparison is paid for.
constexpr size_t kBlock = 64;
/// The buffer holds this many times k before it is cut back to k: the cut is linear, so its cost per value is constant.
constexpr size_t kSlack = 4;

bool better(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.index < b.index);
}

/// Integer sums without branches, which compilers vectorise where they may not reorder a float maximum: whether a value
/// reaches the threshold, or is NaN.
bool any_counts(const float* values, float threshold) {
  int others = 0;
  for (size_t i = 0; i < kBlock; ++i) others += values[i] < threshold ? 0 : 1;
  return others > 0;
}

}  // namespace

TopK::TopK(size_t k, float lowest) : k_(k), lowest_(lowest), threshold_(lowest) {}

void TopK::offer(std::span<const float> plane, uint64_t first, uint64_t stride) {
  if (k_ == 0) return;
  size_t i = 0;
  for (; i + kBlock <= plane.size(); i += kBlock) {
    if (!any_counts(plane.data() + i, threshold_)) continue;
    for (size_t j = i; j < i + kBlock; ++j) push(plane[j], first + j * stride);
  }
  for (; i < plane.size(); ++i) push(plane[i], first + i * stride);
}

void TopK::push(float logit, uint64_t index) {
  if (!(logit >= threshold_)) {
    saw_nan_ |= logit != logit;
    return;
  }
  candidates_.push_back({logit, index});
  if (candidates_.size() >= kSlack * k_ + kBlock) shrink();
}

void TopK::shrink() {
  if (candidates_.size() <= k_) return;
  const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
  std::nth_element(candidates_.begin(), last, candidates_.end(), better);
  threshold_ = last->logit;
  candidates_.resize(k_);
}

std::vector<Candidate> TopK::take() {
  shrink();
  std::sort(candidates_.begin(), candidates_.end(), better);
  threshold_ = lowest_;
  return std::exchange(candidates_, {});
}

}  // namespace effdet::eval
