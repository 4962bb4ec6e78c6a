// Keeps threads from holding a large image each.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace effdet::vision {

/// Threads that are about to take large memory pass one after the other, in the order in which they came, as soon as
/// what all hold stays within a limit, or nobody holds anything. A thread must not enter a gate that it is in.
class MemoryGate {
 public:
  /// Memory that was asked for, until it is destroyed.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold();

   private:
    friend MemoryGate;
    Hold(MemoryGate* gate, uint64_t bytes) : gate_(gate), bytes_(bytes) {}
    MemoryGate* gate_ = nullptr;
    uint64_t bytes_ = 0;
  };

  /// Less than this is let through at once and not counted.
  static constexpr uint64_t kSmall = uint64_t{64} << 20;
  static constexpr uint64_t kLimit = uint64_t{256} << 20;

  [[nodiscard]] Hold enter(uint64_t bytes);

 private:
  void leave(uint64_t bytes);

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t held_ = 0;
  uint64_t next_ticket_ = 0, served_ = 0;
};

/// What decoders enter that cannot give the first row before they have read the last one.
MemoryGate& whole_images();

}  // namespace effdet::vision
