// Large memory that is written before it is read.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace effdet {

/// Memory of so many bytes, not cleared, aligned to a cache line at least; of huge pages where it is large, since
/// strides through small ones miss the TLB. Its pages are fetched by the threads that write them first. Null for no
/// bytes. Throws Error(kOutOfMemory), which says what the memory is for.
std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what);

}  // namespace effdet
