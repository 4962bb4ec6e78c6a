// Pseudo-random integers that are the same on every machine; the standard library's distributions are not.
#pragma once

#include <cstdint>

namespace effdet::scenes {

/// The splitmix64 generator (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
  /// Uniform in [low, high]; low <= high and high - low < 2^31.
  int between(int low, int high) {
    const uint64_t choices = static_cast<uint64_t>(int64_t{high} - low + 1);
    return low + static_cast<int>(((next() >> 32) * choices) >> 32);
  }

 private:
  uint64_t state_;
};

}  // namespace effdet::scenes
