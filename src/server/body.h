// The body of a request: bytes that grow as they arrive.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace effdet::server {

/// Memory of bodies that are gone. Fresh pages for each large body would cost as much as a copy. Any thread may use it.
class BodyPool {
 public:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  struct Block {
    std::unique_ptr<std::byte[], Free> data;
    size_t bytes = 0;
  };

  BodyPool();
  /// A block of so many bytes at least, or one without memory.
  Block take(size_t bytes);
  /// Keeps it, or frees it where enough is kept. Throws nothing.
  void give(Block block);

 private:
  std::mutex mutex_;
  std::vector<Block> kept_;
  size_t kept_bytes_ = 0;
};

/// Memory follows what has arrived, at most twice that, whatever a header announced: a client has to send bytes before
/// any are taken for it, unless a block of that size lies about. Growing moves no pages of a large body.
class Body {
 public:
  explicit Body(std::shared_ptr<BodyPool> pool) : pool_(std::move(pool)) {}
  ~Body() { pool_->give(std::move(block_)); }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  void swap(Body& other) noexcept;

  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {block_.data.get() + lead_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes().data()), size_}; }
  const std::shared_ptr<BodyPool>& pool() const { return pool_; }

  /// Before the first byte: so many will come (0: nobody knows), and elements of a tensor begin at that byte.
  void expect(size_t length, size_t tensor_at);
  /// Uninitialised memory behind what is there, at least one byte and at most `most`, to be filled and added. Throws
  /// std::bad_alloc.
  std::span<std::byte> room(size_t most);
  void add(size_t bytes) { size_ += bytes; }
  void append(std::span<const std::byte> bytes);

 private:
  std::shared_ptr<BodyPool> pool_;
  BodyPool::Block block_;
  size_t lead_ = 0;  // bytes before the body, so that its tensor is aligned
  size_t size_ = 0;
  size_t expected_ = 0;
};

}  // namespace effdet::server
