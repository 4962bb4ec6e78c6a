// How many bytes all requests and answers may take together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "server/http_error.h"

namespace effdet::server {

/// Counts what is taken; any thread may take and give.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit) : limit_(limit) {}

  bool take(uint64_t bytes) {
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_ = 0;  // never above limit_
};

/// A part of the budget, given back when it goes.
class Reservation {
 public:
  explicit Reservation(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  Reservation(Reservation&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  ~Reservation() { budget_->give(bytes_); }

  /// False, and nothing changed, where the budget does not have them.
  bool grow(uint64_t bytes) {
    if (!budget_->take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  /// As grow(). Throws HttpError(503) where the budget does not have them.
  void pay(uint64_t bytes) {
    if (!grow(bytes)) throw HttpError(503, "the server's memory for requests is used up: try again later");
  }
  uint64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  uint64_t bytes_ = 0;
};

}  // namespace effdet::server
