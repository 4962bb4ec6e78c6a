// Memory that is taken before it is needed, for a handler of Asio that must not fail where memory runs out.
#pragma once

#include <cstddef>
#include <new>

namespace effdet::server {

/// Room for one handler at a time, and what Asio has beside it.
struct HandlerMemory {
  alignas(std::max_align_t) std::byte bytes[128];
};

/// For boost::asio::bind_allocator().
template <typename T>
class HandlerAllocator {
 public:
  using value_type = T;

  explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
  template <typename Other>
  HandlerAllocator(const HandlerAllocator<Other>& other) : memory_(other.memory_) {}

  T* allocate(size_t count) {
    static_assert(sizeof(T) <= sizeof memory_->bytes && alignof(T) <= alignof(HandlerMemory));
    if (count != 1) throw std::bad_alloc();
    return reinterpret_cast<T*>(memory_->bytes);
  }
  void deallocate(T*, size_t) {}
  bool operator==(const HandlerAllocator&) const = default;

 private:
  template <typename Other>
  friend class HandlerAllocator;

  HandlerMemory* memory_;
};

}  // namespace effdet::server
