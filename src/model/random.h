// Reproducible random numbers: integer arithmetic only, so every machine draws the same.
#pragma once

#include <cstdint>
#include <string_view>

namespace effdet::model {

/// A stream of its own for each (seed, name): what one tensor draws does not depend on the others. SplitMix64, the
/// generator of Steele, Lea and Flood, 2014.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view name) : state_(seed) {
    for (char c : name) state_ = (state_ ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
    next();
  }

  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  float uniform(float low, float high) { return low + (high - low) * static_cast<float>(next() >> 40) * 0x1p-24f; }

  /// Nearly normal, mean 0 and deviation 1: the sum of four uniform 16-bit numbers.
  float normal() {
    constexpr float kInverseDeviation = 1.7320508f / 65536.0f;  // of the sum: 65536 / sqrt(3)
    const uint64_t bits = next();
    const auto sum =
        static_cast<int64_t>((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48));
    return static_cast<float>(sum - 2 * 65535) * kInverseDeviation;
  }

 private:
  uint64_t state_;
};

}  // namespace effdet::model
