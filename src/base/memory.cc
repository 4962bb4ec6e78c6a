#include "base/memory.h"

#include <sys/mman.h>

#include <cstdlib>

#include "base/error.h"

namespace effdet {

std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) {
  constexpr size_t kHugePage = size_t{2} << 20, kCacheLine = 64;
  if (bytes == 0) return nullptr;
  const bool large = bytes >= 2 * kHugePage;
  const size_t alignment = large ? kHugePage : kCacheLine;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = rounded >= bytes ? std::aligned_alloc(alignment, rounded) : nullptr;
  if (memory == nullptr) fail(ErrorCode::kOutOfMemory, "cannot allocate {} bytes for the {}", bytes, what);
  if (large) ::madvise(memory, rounded, MADV_HUGEPAGE);
  return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
}

}  // namespace effdet
