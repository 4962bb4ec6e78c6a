// Memory of the devices, which is the host's, in addresses of its own: what is copied must lie in a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>

#include "failure.h"

namespace effdet::acl {

/// Bytes where the library reads and writes them, which stay there as long as they are held: a program may free a block
/// while a stream works on it.
struct Place {
  std::byte* data = nullptr;
  std::shared_ptr<std::byte> owner;  ///< null for the host's memory
};

/// All blocks that programs hold. Safe to use from several threads.
class DeviceMemory {
 public:
  static DeviceMemory& instance();

  /// Of at least one byte, aligned to 4096 bytes. Throws Failure(kRtMemoryAllocation) above the device's memory.
  void* allocate(int device, size_t bytes);
  /// Throws Failure(kRtParamInvalid) for what is not the beginning of a block.
  void free(void* address);
  /// Whether the address is of a device: of a block, or of one that was freed. The host's memory never is.
  bool contains(const void* address) const;
  /// Where these bytes are. Throws Failure(kRtParamInvalid), with the parameter's name, where they are not all in one
  /// block.
  Place at(const void* address, size_t bytes, const char* parameter) const;
  uint64_t used_bytes(int device) const;
  /// Counts as used, for what the library itself keeps for a device, until the result goes. Throws
  /// Failure(kGeMemoryAllocation).
  std::shared_ptr<void> reserve(int device, uint64_t bytes, const char* what);

  /// For a fault of the processor: says which block the address lies in, or that it is none's.
  void explain_fault(const void* address) const noexcept;

 private:
  struct Block {
    size_t bytes;
    int device;
    std::shared_ptr<std::byte> memory;  ///< at the block's address, or elsewhere in debug mode
  };
  using Blocks = std::map<const std::byte*, Block>;

  DeviceMemory();
  // The caller of these holds the lock.
  void take(int device, uint64_t bytes, Code code, const char* what);
  std::byte* find_room(size_t bytes);
  /// The block that holds the address, or the end.
  Blocks::const_iterator find(const void* address) const;

  mutable std::shared_mutex mutex_;
  std::byte* begin_ = nullptr;  ///< of the addresses that are kept for devices
  size_t size_ = 0, next_ = 0;  ///< and where the next block goes
  Blocks blocks_;
  std::map<int, uint64_t> used_;
};

}  // namespace effdet::acl
