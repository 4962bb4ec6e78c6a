// Memory of the devices, which is the host's, kept apart: ranges are known, and what is copied must lie in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>

#include "kernels/ascend/abi.h"

namespace effdet::acl {

/// All blocks that programs hold. Safe to use from several threads.
class DeviceMemory {
 public:
  static DeviceMemory& instance();

  /// Of at least one byte, aligned to 64 bytes. Throws Failure(kRtMemoryAllocation) above the device's memory.
  void* allocate(int device, size_t bytes);
  /// Throws Failure(kRtParamInvalid) for what is not the beginning of a block.
  void free(void* address);
  /// Whether the address lies in a block.
  bool contains(const void* address) const;
  /// Where the library reads and writes these bytes; another place than the program's address in debug mode. Throws
  /// Failure(kRtParamInvalid), with the parameter's name, where they are not all in one block.
  std::byte* at(const void* address, size_t bytes, const char* parameter) const;
  uint64_t used_bytes(int device) const;
  /// Counts as used, for what the library itself keeps for a device, until the result goes. Throws
  /// Failure(kGeMemoryAllocation).
  std::shared_ptr<void> reserve(int device, uint64_t bytes, const char* what);

  /// For a fault of the processor: prints which block the address lies in.
  bool explain_fault(const void* address) const noexcept;

 private:
  struct Block {
    size_t bytes;
    int device;
    std::shared_ptr<std::byte> memory;     ///< where the library reads and writes
    std::shared_ptr<std::byte> forbidden;  ///< what the program has instead in debug mode
  };
  /// The caller holds the lock.
  void take(int device, uint64_t bytes, Code code, const char* what);
  using Blocks = std::map<const std::byte*, Block>;
  /// The block that holds the address, or the end. The caller holds the lock.
  Blocks::const_iterator find(const void* address) const;

  mutable std::shared_mutex mutex_;
  Blocks blocks_;
  std::map<int, uint64_t> used_;
};

}  // namespace effdet::acl
