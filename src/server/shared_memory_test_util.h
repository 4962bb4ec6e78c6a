// An object of shared memory, as a client of the server makes one.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace effdet::server {

class SharedObject {
 public:
  explicit SharedObject(size_t bytes)
      : key_("/effdet_test_" + std::to_string(::getpid()) + "_" + std::to_string(count_++)), bytes_(bytes) {
    descriptor_ = ::shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor_ < 0) throw std::runtime_error("shm_open failed");
    resize(bytes);
    begin_ = static_cast<std::byte*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0));
  }
  ~SharedObject() {
    ::munmap(begin_, bytes_);
    ::close(descriptor_);
    ::shm_unlink(key_.c_str());
  }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  const std::string& key() const { return key_; }
  size_t size() const { return bytes_; }
  void write(size_t at, std::string_view text) { text.copy(reinterpret_cast<char*>(begin_ + at), text.size()); }
  std::string read(size_t at, size_t bytes) const { return {reinterpret_cast<const char*>(begin_ + at), bytes}; }
  void resize(size_t bytes) {
    if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) throw std::runtime_error("ftruncate failed");
  }

 private:
  static inline std::atomic<int> count_ = 0;
  std::string key_;
  size_t bytes_;
  int descriptor_;
  std::byte* begin_;
};

/// Parameters of a tensor that lies there.
inline nlohmann::json part_of(const std::string& region, size_t offset, size_t bytes) {
  return {{"shared_memory_region", region}, {"shared_memory_offset", offset}, {"shared_memory_byte_size", bytes}};
}

}  // namespace effdet::server
