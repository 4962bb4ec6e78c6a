// A block of C++: a phase is a loop over the threads, in an order that differs from phase to phase, and all that
// nobody wrote is poisoned. What depends on the order, or on a missing barrier, shows in the results.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "kernels/cuda/block.h"

namespace effdet::kernels::cuda {

/// Fills memory so that it is no number of any type of float.
inline void poison(void* memory, size_t bytes) {
  if (bytes > 0) std::memset(memory, 0xFF, bytes);
}

class HostBlock {
 public:
  template <typename T>
  class Local {
   public:
    explicit Local(HostBlock& block) : values_(static_cast<size_t>(block.threads())) {
      poison(values_.data(), values_.size() * sizeof(T));
    }
    T& operator[](int thread) { return values_[static_cast<size_t>(thread)]; }

   private:
    std::vector<T> values_;
  };

  HostBlock(int threads, size_t shared_bytes, uint32_t seed)
      : order_(static_cast<size_t>(threads)), shared_((shared_bytes + sizeof(Unit) - 1) / sizeof(Unit)), random_(seed) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  /// The next block to run: its shared memory has nothing of the one before.
  void begin(int64_t index) {
    index_ = index;
    poison(shared_.data(), shared_.size() * sizeof(Unit));
  }

  int64_t index() const { return index_; }
  int threads() const { return static_cast<int>(order_.size()); }

  template <typename Phase>
  void each(Phase&& phase) {
    reorder();
    for (const int thread : order_) phase(thread);
  }

  uint32_t add(uint32_t* counter, uint32_t n) { return std::exchange(*counter, *counter + n); }

  template <typename T>
  T* shared() {
    return reinterpret_cast<T*>(shared_.data());
  }

 private:
  struct alignas(16) Unit {
    std::byte bytes[16];
  };

  /// Backwards, from another thread on: any two neighbours change places now and then, and it costs little.
  void reorder() {
    std::ranges::reverse(order_);
    std::ranges::rotate(order_, order_.begin() + static_cast<ptrdiff_t>(random_() % order_.size()));
  }

  int64_t index_ = 0;
  std::vector<int> order_;
  std::vector<Unit> shared_;
  std::minstd_rand random_;
};

}  // namespace effdet::kernels::cuda
