// Draws images by a generator that counts.
#include "analysis/resample_weights.h"

#include <algorithm>

namespace effdet::analysis {
namespace {

constexpr uint32_t low_half(uint64_t value) { return static_cast<uint32_t>(value); }
constexpr uint32_t high_half(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

/// The upper half of the product of 128 bits: a number below `count`.
uint64_t scale_down(uint64_t number, uint64_t count) {
  const uint64_t low = uint64_t{low_half(number)} * count;  // precondition: count < 2^32
  return (uint64_t{high_half(number)} * count + high_half(low)) >> 32;
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr int kRounds = 10;
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0], product1 = kMultiplier1 * counter[2];
    counter = {high_half(product1) ^ counter[1] ^ key[0], low_half(product1), high_half(product0) ^ counter[3] ^ key[1],
               low_half(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

void ResampleWeights::draw(uint64_t first) {
  std::ranges::fill(weights_, Lanes{});
  for (size_t lane = 0; lane < kLanes; ++lane) draw_lane(first + lane, lane);
}

/// Two draws a number of the generator.
void ResampleWeights::draw_lane(uint64_t resample, size_t lane) {
  const uint64_t count = weights_.size();
  for (uint64_t i = 0; i < count; i += 2) {
    const auto random = philox({low_half(i / 2), high_half(i / 2), low_half(resample), high_half(resample)},
                               {low_half(seed_), high_half(seed_)});
    ++weights_[scale_down(uint64_t{random[1]} << 32 | random[0], count)][lane];
    if (i + 1 < count) ++weights_[scale_down(uint64_t{random[3]} << 32 | random[2], count)][lane];
  }
}

}  // namespace effdet::analysis
