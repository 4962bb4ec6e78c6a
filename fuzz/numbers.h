// Numbers out of a fuzzer's input.
#pragma once

#include "target.h"

namespace effdet::fuzz {

/// The input's bytes one after the other, and zeros behind its end.
class Numbers {
 public:
  explicit Numbers(Bytes input) : rest_(input) {}
  unsigned byte() {
    if (rest_.empty()) return 0;
    const unsigned value = std::to_integer<unsigned>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  /// Eight bytes.
  uint64_t seed() {
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | byte();
    return value;
  }
  bool more() const { return !rest_.empty(); }

 private:
  Bytes rest_;
};

}  // namespace effdet::fuzz
