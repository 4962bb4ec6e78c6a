// Bootstrap resamples: how often each image is drawn.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace effdet::analysis {

/// Resamples that are computed side by side.
inline constexpr size_t kLanes = 8;

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): numbers that depend on key and
/// counter alone, so that it does not matter who draws them when.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class ResampleWeights {
 public:
  /// How often an image is in each resample. Of more than 65,535 images none is drawn so often: one that is drawn 100
  /// times is already beyond all chance.
  using Lanes = std::array<uint16_t, kLanes>;

  ResampleWeights(uint64_t seed, size_t num_images) : seed_(seed), weights_(num_images) {}

  /// Draws the resamples `first` to first + kLanes - 1, each as many images as there are, with replacement.
  void draw(uint64_t first);

  const Lanes& of(uint32_t image) const { return weights_[image]; }
  size_t num_images() const { return weights_.size(); }

 private:
  void draw_lane(uint64_t resample, size_t lane);

  uint64_t seed_;
  std::vector<Lanes> weights_;
};

}  // namespace effdet::analysis
