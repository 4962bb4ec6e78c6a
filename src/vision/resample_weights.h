// Which input samples make an output sample, and with what weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace effdet::vision {

/// Weights have this many bits after the binary point: what is left of 32 for 8-bit samples and two bits of headroom.
constexpr int kWeightBits = 32 - 8 - 2;
/// A weight is low + (high << kLowBits), so that both parts fit signed 16-bit multiplications.
constexpr int kLowBits = 15;

/// A triangle filter from in_size to out_size samples along one axis, widened for reduction (antialias): the numbers of
/// Pillow's Resample.c, double arithmetic and rounding included. Every output has the same even number of taps; taps
/// that Pillow does not have weigh 0. Weights lie in pairs, two 16-bit numbers in an int32 (first tap in the lower
/// half).
class ResampleWeights {
 public:
  /// Outputs are padded with zero weights to a multiple of this.
  static constexpr int kPadding = 8;

  ResampleWeights(int in_size, int out_size);

  int size() const { return out_size_; }
  int padded_size() const { return static_cast<int>(first_.size()); }
  /// Tap pairs of every output.
  int pairs() const { return pairs_; }
  /// First input of each output; grows with the output. The last taps may lie past the input, by one at most.
  const int32_t* first() const { return first_.data(); }
  /// Low and high parts of the weights: [pair][padded output].
  const int32_t* low() const { return low_.data(); }
  const int32_t* high() const { return high_.data(); }
  /// Both parts of each, tap by tap: [2 * pairs][padded output].
  std::vector<int32_t> whole_weights() const;

 private:
  void set(size_t output, int first, const std::vector<double>& weights, int in_size);

  int out_size_ = 0;
  int pairs_ = 1;
  std::vector<int32_t> first_, low_, high_;
};

}  // namespace effdet::vision
