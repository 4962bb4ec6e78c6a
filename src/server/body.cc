// Memory of bodies, which is used again.
#include "server/body.h"

#include <algorithm>
#include <new>
#include <utility>

#include "server/copy_bytes.h"

namespace effdet::server {
namespace {

constexpr size_t kFirst = 64 << 10;       // of a body
constexpr size_t kLeastKept = 256 << 10;  // smaller blocks come quickly from the heap
constexpr size_t kMostKept = 32 << 20;    // of all blocks together
constexpr size_t kAlignment = 16;         // of realloc(), which is what kernels want of tensors

}  // namespace

BodyPool::BodyPool() { kept_.reserve(kMostKept / kLeastKept); }

BodyPool::Block BodyPool::take(size_t bytes) {
  if (bytes < kLeastKept) return {};
  const std::lock_guard lock(mutex_);
  // The smallest that fits: a large one is for a large body.
  const auto fits = [&](const Block& block) { return block.bytes >= bytes; };
  auto best = kept_.end();
  for (auto block = kept_.begin(); block != kept_.end(); ++block)
    if (fits(*block) && (best == kept_.end() || block->bytes < best->bytes)) best = block;
  if (best == kept_.end()) return {};
  Block taken = std::move(*best);
  kept_.erase(best);
  kept_bytes_ -= taken.bytes;
  return taken;
}

void BodyPool::give(Block block) {
  if (block.bytes < kLeastKept) return;
  const std::lock_guard lock(mutex_);
  if (kept_bytes_ + block.bytes > kMostKept) return;
  kept_bytes_ += block.bytes;
  kept_.push_back(std::move(block));
}

void Body::swap(Body& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(block_, other.block_);
  std::swap(lead_, other.lead_);
  std::swap(size_, other.size_);
  std::swap(expected_, other.expected_);
}

void Body::expect(size_t length, size_t tensor_at) {
  lead_ = (kAlignment - tensor_at % kAlignment) % kAlignment;
  expected_ = length;
  if (length > 0) block_ = pool_->take(lead_ + length);
}

std::span<std::byte> Body::room(size_t most) {
  const size_t used = lead_ + size_;
  if (used >= block_.bytes) {
    size_t larger = std::max(used * 2, kFirst);
    // The last time it grows to its length and no further.
    if (const size_t all = lead_ + expected_; all > used) larger = std::min(larger, all);
    void* moved = std::realloc(block_.data.get(), larger);
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(block_.data.release());
    block_.data.reset(static_cast<std::byte*>(moved));
    block_.bytes = larger;
  }
  return {block_.data.get() + used, std::min(most, block_.bytes - used)};
}

void Body::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<std::byte> free = room(bytes.size());
    copy_bytes(bytes.first(free.size()), free.data());
    add(free.size());
    bytes = bytes.subspan(free.size());
  }
}

}  // namespace effdet::server
