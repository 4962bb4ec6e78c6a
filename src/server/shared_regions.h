// Memory that clients on the same machine share with the server: Triton's extension for system shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "server/bus_guard.h"
#include "server/infer_message.h"

namespace effdet::server {

/// Throws HttpError that says so.
[[noreturn]] void refuse_shared_memory();

/// A mapped part of an object of POSIX shared memory.
class SharedRegion {
 public:
  /// key: the object's name, as shm_open() takes it. Throws HttpError where there is none, where it is shorter, or
  /// where the server may not use it.
  SharedRegion(std::string key, uint64_t offset, uint64_t bytes);

  const std::string& key() const { return key_; }
  uint64_t offset() const { return offset_; }
  /// The client may change it at any time: it is read once, and nothing is decided by what is read again.
  std::span<std::byte> memory() const { return memory_; }
  /// Whether both are of one object, whatever its name is by now.
  bool same_object(const SharedRegion& other) const { return identity_ == other.identity_; }
  /// Throws HttpError where the object became shorter, or memory for its pages ran out, so that what was read is not
  /// what the client had written, or what was written does not reach it.
  void check_whole() const;

 private:
  struct Unmap {
    uint64_t bytes;
    void operator()(std::byte* begin) const;
  };
  std::string key_;
  uint64_t offset_;
  const Descriptor file_;
  std::pair<uint64_t, uint64_t> identity_;  // device and inode, which no other object has while this one is open
  std::unique_ptr<std::byte, Unmap> mapping_;
  std::span<std::byte> memory_;
  std::optional<BusGuard> guard_;  // last: it goes before the mapping
};

/// A part of a region, which it keeps.
struct SharedPlace {
  std::shared_ptr<const SharedRegion> region;
  std::span<std::byte> memory;

  /// Whether both have bytes of one object in common.
  bool overlaps(const SharedPlace& other) const;
};

/// The regions by the names that clients gave them. Any thread may call it.
class SharedRegions {
 public:
  /// body: JSON with the object's key, byte_size, and the offset in it. Throws HttpError, and Error(kBadInput) for
  /// broken JSON.
  void add(const std::string& name, std::string_view body);
  /// Requests that use the region keep its memory. Nothing happens where there is none. name "": all.
  void remove(const std::string& name);
  /// A JSON array of what is registered. name "": all. Throws HttpError where there is no region of that name.
  std::string status(const std::string& name) const;
  /// Throws HttpError where there is no such region, or the part reaches beyond it.
  SharedPlace find(const SharedPart& part) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const SharedRegion>> regions_;
};

}  // namespace effdet::server
