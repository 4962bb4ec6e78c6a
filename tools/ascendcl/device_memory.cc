// Blocks in a range of addresses that is kept for them, and hardly ever used twice. In debug mode nobody may touch it,
// and the library has the bytes elsewhere.
#include "device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <mutex>
#include <new>

#include "settings.h"

namespace effdet::acl {
namespace {

constexpr size_t kPage = 4096, kHugePage = size_t{2} << 20;
/// Addresses cost nothing; where a limit forbids so many, fewer are kept.
constexpr size_t kMostAddresses = size_t{1} << 44, kFewestAddresses = size_t{1} << 30;

constexpr size_t rounded(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

struct sigaction former_action;

void on_fault(int signal, siginfo_t* info, void* context) {
  DeviceMemory::instance().explain_fault(info->si_addr);
  // What would have happened without us: the instruction runs again.
  if ((former_action.sa_flags & SA_SIGINFO) != 0 && former_action.sa_sigaction != nullptr) {
    former_action.sa_sigaction(signal, info, context);
  } else {
    ::sigaction(signal, &former_action, nullptr);
  }
}

void catch_faults() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, &former_action);
}

/// Pages at an address of the range, until the last holder lets them go. Null where the system refuses.
std::shared_ptr<std::byte> open_pages(std::byte* address, size_t bytes) {
  if (::mprotect(address, bytes, PROT_READ | PROT_WRITE) != 0) return nullptr;
  if (bytes >= kHugePage) ::madvise(address, bytes, MADV_HUGEPAGE);
  return {address, [bytes](std::byte* pages) {
            ::madvise(pages, bytes, MADV_DONTNEED);
            ::mprotect(pages, bytes, PROT_NONE);
          }};
}

std::shared_ptr<std::byte> memory_elsewhere(size_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
  if (memory == nullptr) return nullptr;
  return {memory, [](std::byte* p) { ::operator delete(p, kAlignment); }};
}

}  // namespace

DeviceMemory::DeviceMemory() {
  for (size_ = kMostAddresses; size_ >= kFewestAddresses; size_ /= 2) {
    void* range = ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    begin_ = static_cast<std::byte*>(range);
    break;
  }
  if (begin_ == nullptr) size_ = 0;
  if (settings().debug) catch_faults();
}

DeviceMemory& DeviceMemory::instance() {
  static auto& kept = *new DeviceMemory;  // programs free whenever they like, also while they end
  return kept;
}

std::byte* DeviceMemory::find_room(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : kPage;
  size_t at = rounded(next_, unit);
  for (int rounds = 0; rounds < 2; ++rounds) {
    while (at <= size_ && bytes <= size_ - at) {
      // The first block that ends behind the beginning of the room; it is in the way where it begins before the end.
      auto after = blocks_.upper_bound(begin_ + at);
      if (after != blocks_.begin() &&
          std::prev(after)->first + rounded(std::prev(after)->second.bytes, kPage) > begin_ + at)
        --after;
      if (after == blocks_.end() || after->first >= begin_ + at + bytes) {
        next_ = at + bytes;
        return begin_ + at;
      }
      at = rounded(static_cast<size_t>(after->first - begin_) + after->second.bytes, unit);
    }
    at = 0;  // all addresses have been used once
  }
  return nullptr;
}

void* DeviceMemory::allocate(int device, size_t bytes) {
  require(bytes > 0, kInvalidParam, "size is 0");
  require(bytes <= SIZE_MAX - kHugePage, kInvalidParam, "{} bytes are too many", bytes);
  const std::unique_lock lock(mutex_);
  take(device, bytes, kRtMemoryAllocation, "a block");
  const size_t whole = rounded(bytes, kPage);
  std::byte* address = find_room(whole);
  Block block{bytes, device, nullptr};
  if (address != nullptr) block.memory = settings().debug ? memory_elsewhere(bytes) : open_pages(address, whole);
  if (block.memory == nullptr) used_[device] -= bytes;
  require(block.memory != nullptr, kRtMemoryAllocation, "device {}: no {} bytes of memory", device, bytes);
  blocks_.emplace(address, std::move(block));
  return address;
}

void DeviceMemory::take(int device, uint64_t bytes, Code code, const char* what) {
  const uint64_t all = settings().memory_bytes;
  uint64_t& used = used_[device];
  require(bytes <= all && used <= all - bytes, code, "device {}: {} bytes are wanted for {}, {} of {} are used", device,
          bytes, what, used, all);
  used += bytes;
}

std::shared_ptr<void> DeviceMemory::reserve(int device, uint64_t bytes, const char* what) {
  const std::unique_lock lock(mutex_);
  take(device, bytes, kGeMemoryAllocation, what);
  return {nullptr, [this, device, bytes](void*) {
            const std::unique_lock release(mutex_);
            used_[device] -= bytes;
          }};
}

void DeviceMemory::free(void* address) {
  std::shared_ptr<std::byte> last;  // goes after the lock
  const std::unique_lock lock(mutex_);
  const auto found = blocks_.find(static_cast<const std::byte*>(address));
  require(found != blocks_.end(), kRtParamInvalid, "{} is not what aclrtMalloc gave, or it was freed", address);
  used_[found->second.device] -= found->second.bytes;
  last = std::move(found->second.memory);
  blocks_.erase(found);
}

DeviceMemory::Blocks::const_iterator DeviceMemory::find(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  auto after = blocks_.upper_bound(byte);
  if (after == blocks_.begin()) return blocks_.end();
  --after;
  return static_cast<size_t>(byte - after->first) < after->second.bytes ? after : blocks_.end();
}

bool DeviceMemory::contains(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  return begin_ != nullptr && byte >= begin_ && static_cast<size_t>(byte - begin_) < size_;
}

Place DeviceMemory::at(const void* address, size_t bytes, const char* parameter) const {
  const std::shared_lock lock(mutex_);
  const auto found = find(address);
  require(found != blocks_.end(), kRtParamInvalid, "{} = {} is not memory of a device, or it was freed", parameter,
          address);
  const auto offset = static_cast<size_t>(static_cast<const std::byte*>(address) - found->first);
  require(bytes <= found->second.bytes - offset, kRtParamInvalid, "{}: {} bytes at offset {} of a block of {}",
          parameter, bytes, offset, found->second.bytes);
  return {found->second.memory.get() + offset, found->second.memory};
}

uint64_t DeviceMemory::used_bytes(int device) const {
  const std::shared_lock lock(mutex_);
  const auto found = used_.find(device);
  return found == used_.end() ? 0 : found->second;
}

void DeviceMemory::explain_fault(const void* address) const noexcept {
  // The fault may lie in a thread that holds the lock, or any other place: nothing here may wait or allocate.
  if (!contains(address) || !mutex_.try_lock_shared()) return;
  char text[256];
  const auto found = find(address);
  const int length =
      found == blocks_.end()
          ? std::snprintf(
                text, sizeof text,
                "libascendcl: host code touches %p, which is memory of a device, but of no block: past the end "
                "of one, or freed\n",
                address)
          : std::snprintf(
                text, sizeof text,
                "libascendcl: host code touches memory of device %d: byte %zu of the %zu that aclrtMalloc gave at "
                "%p; copy with aclrtMemcpy\n",
                found->second.device, static_cast<size_t>(static_cast<const std::byte*>(address) - found->first),
                found->second.bytes, static_cast<const void*>(found->first));
  if (length > 0 && ::write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) std::perror(nullptr);
  mutex_.unlock_shared();
}

}  // namespace effdet::acl
