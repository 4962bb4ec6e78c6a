// Lets threads in as long as the images that they hold fit the memory that there is.
#include "vision/memory_gate.h"

#include <utility>

namespace effdet::vision {

MemoryGate::Hold::Hold(Hold&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), bytes_(other.bytes_) {}

MemoryGate::Hold& MemoryGate::Hold::operator=(Hold&& other) noexcept {
  std::swap(gate_, other.gate_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MemoryGate::Hold::~Hold() {
  if (gate_ != nullptr) gate_->leave(bytes_);
}

MemoryGate::Hold MemoryGate::enter(uint64_t bytes) {
  if (bytes < kSmall) return {};
  std::unique_lock lock(mutex_);
  const uint64_t ticket = next_ticket_++;
  changed_.wait(lock, [&] { return served_ == ticket && (held_ == 0 || held_ + bytes <= kLimit); });
  ++served_;
  held_ += bytes;
  changed_.notify_all();
  return {this, bytes};
}

void MemoryGate::leave(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  held_ -= bytes;
  changed_.notify_all();
}

MemoryGate& whole_images() {
  static MemoryGate gate;
  return gate;
}

}  // namespace effdet::vision
