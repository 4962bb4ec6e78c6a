// Pillow's triangle filter as fixed-point weights of the inputs of each output sample.
#include "vision/resample_weights.h"

#include <algorithm>
#include <cmath>

namespace effdet::vision {
namespace {

/// The inputs that lie under the triangle of one output.
struct Window {
  int first, count;
};

Window window_of(double centre, double support, int in_size) {
  const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
  const int last = std::min(static_cast<int>(centre + support + 0.5), in_size);
  return {first, last - first};
}

void triangle(double centre, double filter_scale, const Window& window, std::vector<double>& weights) {
  const double shrink = 1.0 / filter_scale;
  double sum = 0;
  weights.clear();
  for (int i = 0; i < window.count; ++i) {
    const double distance = std::abs((i + window.first - centre + 0.5) * shrink);
    weights.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;  // the nearest input alone has at least a half
}

}  // namespace

ResampleWeights::ResampleWeights(int in_size, int out_size) : out_size_(out_size) {
  // Pillow keeps the source box in floats.
  const double scale = static_cast<double>(static_cast<float>(in_size)) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const auto centre = [&](int output) { return (output + 0.5) * scale; };

  int taps = 1;
  for (int i = 0; i < out_size; ++i) taps = std::max(taps, window_of(centre(i), filter_scale, in_size).count);
  pairs_ = (taps + 1) / 2;
  const size_t padded = (static_cast<size_t>(out_size) + kPadding - 1) / kPadding * kPadding;
  first_.assign(padded, 0);
  low_.assign(padded * static_cast<size_t>(pairs_), 0);
  high_.assign(low_.size(), 0);

  std::vector<double> weights;
  for (int i = 0; i < out_size; ++i) {
    const Window window = window_of(centre(i), filter_scale, in_size);
    triangle(centre(i), filter_scale, window, weights);
    set(static_cast<size_t>(i), window.first, weights, in_size);
  }
}

void ResampleWeights::set(size_t output, int first, const std::vector<double>& weights, int in_size) {
  // Padding taps stand in front where they would lie past the end of the input.
  const int start = std::clamp(in_size - 2 * pairs_, 0, first);
  first_[output] = start;
  const size_t padded = first_.size();
  for (size_t i = 0; i < weights.size(); ++i) {
    const int fixed = static_cast<int>(0.5 + weights[i] * (1 << kWeightBits));
    const size_t tap = i + static_cast<size_t>(first - start);
    const size_t at = tap / 2 * padded + output;
    const int shift = tap % 2 ? 16 : 0;
    low_[at] |= (fixed & ((1 << kLowBits) - 1)) << shift;
    high_[at] |= (fixed >> kLowBits) << shift;
  }
}

std::vector<int32_t> ResampleWeights::whole_weights() const {
  const size_t padded = first_.size();
  std::vector<int32_t> weights(2 * static_cast<size_t>(pairs_) * padded);
  for (size_t tap = 0; tap < 2 * static_cast<size_t>(pairs_); ++tap)
    for (size_t output = 0; output < padded; ++output) {
      const size_t at = tap / 2 * padded + output;
      const int shift = tap % 2 ? 16 : 0;
      weights[tap * padded + output] = (low_[at] >> shift & 0xFFFF) + ((high_[at] >> shift & 0xFFFF) << kLowBits);
    }
  return weights;
}

}  // namespace effdet::vision
