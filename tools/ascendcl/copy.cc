// Memory of host and devices, and copies between them.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "context.h"
#include "device_memory.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

DeviceMemory& device_memory() { return DeviceMemory::instance(); }

aclError allocate(const char* function, void** address, size_t bytes) {
  return answer(function, [&] {
    void*& out = need(address, "devPtr");
    out = device_memory().allocate(current_context()->device(), bytes);
  });
}

aclError release(const char* function, void* address) {
  return answer(function, [&] { device_memory().free(&need(static_cast<std::byte*>(address), "devPtr")); });
}

struct HostBlocks {
  std::mutex mutex;
  std::map<const std::byte*, size_t> bytes;  ///< by address
};
HostBlocks& host_blocks() {
  static auto& kept = *new HostBlocks;
  return kept;
}

aclError release_host(const char* function, void* address) {
  return answer(function, [&] {
    need(static_cast<std::byte*>(address), "hostPtr");
    {
      const std::lock_guard lock(host_blocks().mutex);
      require(host_blocks().bytes.erase(static_cast<const std::byte*>(address)) == 1, kRtParamInvalid,
              "{} is not what aclrtMallocHost gave, or it was freed", address);
    }
    std::free(address);
  });
}

/// Whether it lies in one block of aclrtMallocHost.
bool is_host_block(const void* address, size_t bytes) {
  const auto* begin = static_cast<const std::byte*>(address);
  const std::lock_guard lock(host_blocks().mutex);
  auto block = host_blocks().bytes.upper_bound(begin);
  if (block == host_blocks().bytes.begin()) return false;
  --block;
  const auto offset = static_cast<size_t>(begin - block->first);
  return offset < block->second && bytes <= block->second - offset;
}

void check_block(const void* address, size_t bytes) {
  need(static_cast<const std::byte*>(address), "devPtr");
  require(bytes > 0, kInvalidParam, "size is 0");
  device_memory().at(address, bytes, "devPtr");
}

/// Where one side of a copy lies.
enum class Side : uint8_t { kHost, kDevice, kEither };

Place place_of(const void* address, size_t bytes, Side side, const char* parameter) {
  need(static_cast<const std::byte*>(address), parameter);
  require(reinterpret_cast<uint64_t>(address) >> 47 == 0, kRtParamInvalid, "{} = {} is no address: a handle, say",
          parameter, address);
  const bool of_device = device_memory().contains(address);
  if (of_device) {
    require(side != Side::kHost, kRtParamInvalid, "{} = {} is memory of a device, and the kind of copy says the host's",
            parameter, address);
    return device_memory().at(address, bytes, parameter);
  }
  if (side == Side::kDevice) device_memory().at(address, bytes, parameter);  // throws, with the reason
  return {const_cast<std::byte*>(static_cast<const std::byte*>(address)), nullptr};
}

/// For memory of the host that a program says is to be filled: it may be no memory at all.
void require_writable(std::byte* data, size_t bytes) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(data) + bytes;
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  if (::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE) == 0) return;
  require(errno != ENOMEM && errno != EFAULT, kRtParamInvalid, "devPtr = {} is no memory that can be written",
          static_cast<void*>(data));  // kernels before 5.14 cannot tell
}

struct Sides {
  Side source, target;
};
Sides sides_of(aclrtMemcpyKind kind) {
  switch (kind) {
    case ACL_MEMCPY_HOST_TO_HOST:
      return {Side::kHost, Side::kHost};
    case ACL_MEMCPY_HOST_TO_DEVICE:
    case ACL_MEMCPY_HOST_TO_BUF_TO_DEVICE:
      return {Side::kHost, Side::kDevice};
    case ACL_MEMCPY_DEVICE_TO_HOST:
      return {Side::kDevice, Side::kHost};
    case ACL_MEMCPY_DEVICE_TO_DEVICE:
      return {Side::kDevice, Side::kDevice};
    case ACL_MEMCPY_DEFAULT:
      return {Side::kEither, Side::kEither};
  }
  fail(kInvalidParam, "kind = {} is no kind of copy", static_cast<unsigned>(kind));
}

/// Rows of a copy: one for aclrtMemcpy.
struct Copy {
  void* target;
  size_t target_pitch;
  const void* source;
  size_t source_pitch, width, height;
};

/// What remains to be done when all is checked.
std::function<void()> prepare(const Copy& copy, aclrtMemcpyKind kind) {
  const Sides sides = sides_of(kind);
  const auto span = [&](size_t pitch) {
    size_t bytes = 0;
    require(
        !__builtin_mul_overflow(pitch, copy.height - 1, &bytes) && !__builtin_add_overflow(bytes, copy.width, &bytes),
        kInvalidParam, "{} rows of {} bytes are too many", copy.height, pitch);
    return bytes;
  };
  return [copy, target = place_of(copy.target, span(copy.target_pitch), sides.target, "dst"),
          source = place_of(copy.source, span(copy.source_pitch), sides.source, "src")] {
    for (size_t row = 0; row < copy.height; ++row)
      std::memmove(target.data + (row * copy.target_pitch), source.data + (row * copy.source_pitch), copy.width);
  };
}

/// A copy of `count` bytes, or nothing for none.
std::function<void()> prepare_line(void* target, size_t room, const void* source, size_t count, aclrtMemcpyKind kind) {
  if (count == 0) return [] {};
  require(count <= room, kRtParamInvalid, "{} bytes do not fit into the {} of the target", count, room);
  return prepare({target, count, source, count, count, 1}, kind);
}

std::function<void()> prepare_rows(void* target, size_t target_pitch, const void* source, size_t source_pitch,
                                   size_t width, size_t height, aclrtMemcpyKind kind) {
  if (width == 0 || height == 0) return [] {};
  require(kind != ACL_MEMCPY_HOST_TO_HOST, kInvalidParam, "rows are copied to or from a device");
  require(width <= target_pitch && width <= source_pitch, kInvalidParam, "rows of {} bytes are wider than {} or {}",
          width, target_pitch, source_pitch);
  return prepare({target, target_pitch, source, source_pitch, width, height}, kind);
}

std::function<void()> prepare_fill(void* target, size_t room, int32_t value, size_t count) {
  if (count == 0) return [] {};
  require(count <= room, kRtParamInvalid, "{} bytes do not fit into {}", count, room);
  Place place = place_of(target, count, Side::kEither, "devPtr");
  if (place.owner == nullptr) require_writable(place.data, count);
  return [place = std::move(place), value, count] { std::memset(place.data, value, count); };
}

/// Words of 32 bits, in memory that AscendCL gave, of either side.
std::function<void()> prepare_words(void* target, size_t room, uint32_t value, size_t count) {
  need(static_cast<std::byte*>(target), "ptr");
  require(count > 0, kInvalidParam, "N is 0");
  require(reinterpret_cast<uintptr_t>(target) % sizeof value == 0, kInvalidParam, "ptr = {} is no multiple of {}",
          target, sizeof value);
  require(count <= room / sizeof value, kInvalidParam, "{} words do not fit into {} bytes", count, room);
  const size_t bytes = count * sizeof value;
  require(device_memory().contains(target) || is_host_block(target, bytes), kInvalidParam,
          "ptr = {} is no memory of aclrtMalloc or aclrtMallocHost", target);
  return [place = place_of(target, bytes, Side::kEither, "ptr"), value, count] {
    std::fill_n(reinterpret_cast<uint32_t*>(place.data), count, value);
  };
}

}  // namespace

ACL_EXPORT aclError aclrtMalloc(void** address, size_t bytes, aclrtMemMallocPolicy /*policy*/) {
  return allocate("aclrtMalloc", address, bytes);
}
ACL_EXPORT aclError aclrtMallocAlign32(void** address, size_t bytes, aclrtMemMallocPolicy /*policy*/) {
  return allocate("aclrtMallocAlign32", address, bytes);
}
ACL_EXPORT aclError aclrtMallocCached(void** address, size_t bytes, aclrtMemMallocPolicy /*policy*/) {
  return allocate("aclrtMallocCached", address, bytes);
}
/// Of the image hardware, which is not here; memory of it is like other memory.
ACL_EXPORT aclError acldvppMalloc(void** address, size_t bytes) { return allocate("acldvppMalloc", address, bytes); }
ACL_EXPORT aclError acldvppFree(void* address) { return release("acldvppFree", address); }
ACL_EXPORT aclError aclrtFree(void* address) { return release("aclrtFree", address); }
ACL_EXPORT aclError aclrtFreeWithDevSync(void* address) {
  const aclError code = aclrtSynchronizeDevice();
  return code == kSuccess ? release("aclrtFreeWithDevSync", address) : code;
}

// There is one memory, so that no cache has to be written back.
ACL_EXPORT aclError aclrtMemFlush(void* address, size_t bytes) {
  return answer("aclrtMemFlush", [&] { check_block(address, bytes); });
}
ACL_EXPORT aclError aclrtMemInvalidate(void* address, size_t bytes) {
  return answer("aclrtMemInvalidate", [&] { check_block(address, bytes); });
}

ACL_EXPORT aclError aclrtMallocHost(void** address, size_t bytes) {
  return answer("aclrtMallocHost", [&] {
    void*& out = need(address, "hostPtr");
    require(bytes > 0, kInvalidParam, "size is 0");
    current_context();
    static constexpr size_t kAlignment = 64;
    require(bytes <= SIZE_MAX - kAlignment, kRtMemoryAllocation, "no {} bytes of memory", bytes);
    void* memory = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    require(memory != nullptr, kRtMemoryAllocation, "no {} bytes of memory", bytes);
    const std::lock_guard lock(host_blocks().mutex);
    host_blocks().bytes.emplace(static_cast<std::byte*>(memory), bytes);
    out = memory;
  });
}
ACL_EXPORT aclError aclrtFreeHost(void* address) { return release_host("aclrtFreeHost", address); }
ACL_EXPORT aclError aclrtFreeHostWithDevSync(void* address) {
  const aclError code = aclrtSynchronizeDevice();
  return code == kSuccess ? release_host("aclrtFreeHostWithDevSync", address) : code;
}

ACL_EXPORT aclError aclrtMemcpy(void* target, size_t room, const void* source, size_t count, aclrtMemcpyKind kind) {
  return answer("aclrtMemcpy", [&] { prepare_line(target, room, source, count, kind)(); });
}
ACL_EXPORT aclError aclrtMemcpyAsync(void* target, size_t room, const void* source, size_t count, aclrtMemcpyKind kind,
                                     aclrtStream stream) {
  return answer("aclrtMemcpyAsync", [&] {
    if (count > 0) stream_of(stream)->push(prepare_line(target, room, source, count, kind));
  });
}
ACL_EXPORT aclError aclrtMemcpy2d(void* target, size_t target_pitch, const void* source, size_t source_pitch,
                                  size_t width, size_t height, aclrtMemcpyKind kind) {
  return answer("aclrtMemcpy2d",
                [&] { prepare_rows(target, target_pitch, source, source_pitch, width, height, kind)(); });
}
ACL_EXPORT aclError aclrtMemcpy2dAsync(void* target, size_t target_pitch, const void* source, size_t source_pitch,
                                       size_t width, size_t height, aclrtMemcpyKind kind, aclrtStream stream) {
  return answer("aclrtMemcpy2dAsync", [&] {
    stream_of(stream)->push(prepare_rows(target, target_pitch, source, source_pitch, width, height, kind));
  });
}
ACL_EXPORT aclError aclrtMemset(void* target, size_t room, int32_t value, size_t count) {
  return answer("aclrtMemset", [&] { prepare_fill(target, room, value, count)(); });
}
ACL_EXPORT aclError aclrtMemsetAsync(void* target, size_t room, int32_t value, size_t count, aclrtStream stream) {
  return answer("aclrtMemsetAsync", [&] {
    if (count > 0) stream_of(stream)->push(prepare_fill(target, room, value, count));
  });
}
ACL_EXPORT aclError aclrtMemsetD32(void* target, size_t room, uint32_t value, size_t count) {
  return answer("aclrtMemsetD32", [&] { prepare_words(target, room, value, count)(); });
}
/// Of the host's memory when it is called, as the vendor's headers say.
ACL_EXPORT aclError aclrtMemsetD32Async(void* target, size_t room, uint32_t value, size_t count, aclrtStream stream) {
  return answer("aclrtMemsetD32Async", [&] {
    const auto on = stream_of(stream);
    std::function<void()> fill = prepare_words(target, room, value, count);
    device_memory().contains(target) ? on->push(std::move(fill)) : fill();
  });
}

}  // namespace effdet::acl
