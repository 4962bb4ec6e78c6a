// The body of a request: bytes that grow as they arrive.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace effdet::server {

/// Memory follows what has arrived, at most twice that, whatever a header announced: a client has to send bytes before
/// any are taken for it. Growing moves no pages of a large body.
class Body {
 public:
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

  /// Uninitialised memory behind what is there, at least one byte and at most `most`, to be filled and added. Throws
  /// std::bad_alloc.
  std::span<std::byte> room(size_t most) {
    if (size_ == capacity_) {
      const size_t larger = std::max<size_t>(size_ * 2, kFirst);
      void* moved = std::realloc(data_.get(), larger);
      if (moved == nullptr) throw std::bad_alloc();
      static_cast<void>(data_.release());
      data_.reset(static_cast<std::byte*>(moved));
      capacity_ = larger;
    }
    return {data_.get() + size_, std::min(most, capacity_ - size_)};
  }
  void add(size_t bytes) { size_ += bytes; }

 private:
  static constexpr size_t kFirst = 64 << 10;
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };

  std::unique_ptr<std::byte[], Free> data_;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace effdet::server
