// Blocks of memory; in debug mode pages that the program may not touch, with the same pages elsewhere for the library.
#include "device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <mutex>
#include <new>

#include "failure.h"
#include "settings.h"

namespace effdet::acl {
namespace {

constexpr std::align_val_t kAlignment{64};

std::shared_ptr<std::byte> plain(size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, kAlignment, std::nothrow));
  if (memory == nullptr) return nullptr;
  return {memory, [](std::byte* p) { ::operator delete(p, kAlignment); }};
}

std::shared_ptr<std::byte> map_pages(int descriptor, size_t bytes, int protection) {
  void* memory = ::mmap(nullptr, bytes, protection, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return nullptr;
  return {static_cast<std::byte*>(memory), [bytes](std::byte* p) { ::munmap(p, bytes); }};
}

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
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, &former_action);
  });
}

}  // namespace

DeviceMemory& DeviceMemory::instance() {
  static auto& kept = *new DeviceMemory;  // programs free whenever they like, also while they end
  return kept;
}

void* DeviceMemory::allocate(int device, size_t bytes) {
  require(bytes > 0, kInvalidParam, "size is 0");
  const Settings& s = settings();
  const std::unique_lock lock(mutex_);
  take(device, bytes, kRtMemoryAllocation, "a block");
  Block block{bytes, device, nullptr, nullptr};
  if (s.debug) {
    catch_faults();
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t whole = (bytes + page - 1) / page * page;
    const int descriptor = ::memfd_create("effdet-ascend", MFD_CLOEXEC);
    if (descriptor >= 0 && ::ftruncate(descriptor, static_cast<off_t>(whole)) == 0) {
      block.memory = map_pages(descriptor, whole, PROT_READ | PROT_WRITE);
      block.forbidden = map_pages(descriptor, whole, PROT_NONE);
    }
    if (descriptor >= 0) ::close(descriptor);
    if (block.forbidden == nullptr) block.memory = nullptr;
  } else {
    block.memory = plain(bytes);
  }
  if (block.memory == nullptr) used_[device] -= bytes;
  require(block.memory != nullptr, kRtMemoryAllocation, "device {}: no {} bytes of memory", device, bytes);
  std::byte* address = block.forbidden != nullptr ? block.forbidden.get() : block.memory.get();
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
  const std::unique_lock lock(mutex_);
  const auto found = blocks_.find(static_cast<const std::byte*>(address));
  require(found != blocks_.end(), kRtParamInvalid, "{} is not what aclrtMalloc gave, or it was freed", address);
  used_[found->second.device] -= found->second.bytes;
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
  const std::shared_lock lock(mutex_);
  return find(address) != blocks_.end();
}

std::byte* DeviceMemory::at(const void* address, size_t bytes, const char* parameter) const {
  const std::shared_lock lock(mutex_);
  const auto found = find(address);
  require(found != blocks_.end(), kRtParamInvalid, "{} = {} is not memory of a device, or it was freed", parameter,
          address);
  const auto offset = static_cast<size_t>(static_cast<const std::byte*>(address) - found->first);
  require(bytes <= found->second.bytes - offset, kRtParamInvalid, "{}: {} bytes at offset {} of a block of {}",
          parameter, bytes, offset, found->second.bytes);
  return found->second.memory.get() + offset;
}

uint64_t DeviceMemory::used_bytes(int device) const {
  const std::shared_lock lock(mutex_);
  const auto found = used_.find(device);
  return found == used_.end() ? 0 : found->second;
}

bool DeviceMemory::explain_fault(const void* address) const noexcept {
  // The fault may lie in a thread that holds the lock, or any other place: nothing here may wait or allocate.
  if (!mutex_.try_lock_shared()) return false;
  const auto found = find(address);
  const bool known = found != blocks_.end();
  if (known) {
    char text[256];
    const int length =
        std::snprintf(text, sizeof text,
                      "libascendcl: host code touches memory of device %d: byte %zu of the %zu that aclrtMalloc gave "
                      "at %p; copy with "
                      "aclrtMemcpy\n",
                      found->second.device, static_cast<size_t>(static_cast<const std::byte*>(address) - found->first),
                      found->second.bytes, static_cast<const void*>(found->first));
    if (length > 0 && ::write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) std::perror(nullptr);
  }
  mutex_.unlock_shared();
  return known;
}

}  // namespace effdet::acl
