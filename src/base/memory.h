// Large memory that is written before it is read, how much of it there is, and budgets for tensors.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace effdet::inline base {

/// Memory of so many bytes, not cleared, aligned to a cache line at least; of huge pages where it is large, since
/// strides through small ones miss the TLB. Its pages are fetched by the threads that write them first. Null for no
/// bytes. Throws Error(kOutOfMemory), which says what the memory is for; also where there is less memory_left().
std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what);

/// Bytes that this process may still take: the least of what the machine, the control groups that it is in (a
/// container's limit) and RLIMIT_AS and RLIMIT_DATA leave beside what it has. A kernel that is asked for more than a
/// control group's limit ends the process without a word.
uint64_t memory_left();

/// Gives pages that the allocator keeps for later, after much was freed in small pieces, back to the system.
void release_free_memory();

/// Bytes of memory that this process has now.
uint64_t memory_used();

/// The least memory limit of a process's control groups, version 1 or 2; UINT64_MAX where there is none. `membership`
/// is the content of /proc/self/cgroup, `mounted` the folder where control groups are mounted.
uint64_t control_group_limit(std::string_view membership, const std::filesystem::path& mounted);

/// Limits the bytes of tensors (src/base/tensor.h) that the thread makes while the object lives. A tensor that would
/// exceed it throws Error(kOutOfMemory); one that goes gives its bytes back, whenever and wherever it goes. Budgets
/// nest: a tensor counts in all that are there when it is made.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Bytes of the tensors that are alive, and the most there were at a time.
  uint64_t used() const;
  uint64_t peak() const;
  /// What this thread's budgets leave; UINT64_MAX without one.
  static uint64_t left();

  class Account;
  /// Takes bytes from this thread's budgets. Null without one; else release() is to be called with as many.
  static std::shared_ptr<Account> take(uint64_t bytes);
  static void release(Account& account, uint64_t bytes);

 private:
  std::shared_ptr<Account> account_;
};

}  // namespace effdet::inline base
