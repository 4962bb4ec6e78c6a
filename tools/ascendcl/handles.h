// Handles that are checked, not followed: a program may give back what was freed, or never was one.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "failure.h"

namespace effdet::acl {

/// The objects of one kind, by handle. A handle looks like an address that no processor accepts, and is never given
/// twice. Safe to use from several threads.
template <typename T>
class Handles {
 public:
  /// kind: a number for handles of this kind; what: its name in messages; code: for a handle that is none.
  Handles(uint16_t kind, const char* what, Code code)
      : base_((uint64_t{0x0ac0} + kind) << 48), what_(what), code_(code) {}

  void* add(std::shared_ptr<T> object) {
    const std::unique_lock lock(mutex_);
    const uint64_t handle = base_ + ++last_;
    objects_.emplace(handle, std::move(object));
    return reinterpret_cast<void*>(handle);  // NOLINT(performance-no-int-to-ptr): it is a number
  }
  /// Null for what is no handle of a living object.
  std::shared_ptr<T> find(const void* handle) const {
    const std::shared_lock lock(mutex_);
    const auto found = objects_.find(reinterpret_cast<uint64_t>(handle));
    return found == objects_.end() ? nullptr : found->second;
  }
  /// Throws Failure.
  std::shared_ptr<T> get(const void* handle) const {
    std::shared_ptr<T> object = find(handle);
    require(object != nullptr, code_, "{} is no {}, or it was destroyed", handle, what_);
    return object;
  }
  /// Takes the handle away; throws Failure.
  std::shared_ptr<T> remove(const void* handle) {
    const std::unique_lock lock(mutex_);
    const auto found = objects_.find(reinterpret_cast<uint64_t>(handle));
    require(found != objects_.end(), code_, "{} is no {}, or it was destroyed", handle, what_);
    std::shared_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }
  /// Another object for the handle; who has the former one keeps it. Throws Failure.
  void replace(const void* handle, std::shared_ptr<T> object) {
    const std::unique_lock lock(mutex_);
    const auto found = objects_.find(reinterpret_cast<uint64_t>(handle));
    require(found != objects_.end(), code_, "{} is no {}, or it was destroyed", handle, what_);
    found->second.swap(object);
  }
  /// Takes away all for which that holds, and gives them.
  template <typename Condition>
  std::vector<std::shared_ptr<T>> remove_if(Condition&& condition) {
    std::vector<std::shared_ptr<T>> removed;
    const std::unique_lock lock(mutex_);
    for (auto it = objects_.begin(); it != objects_.end();) {
      if (condition(*it->second)) {
        removed.push_back(std::move(it->second));
        it = objects_.erase(it);
      } else {
        ++it;
      }
    }
    return removed;
  }
  std::vector<std::shared_ptr<T>> all() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<T>> list;
    for (const auto& [handle, object] : objects_) list.push_back(object);
    return list;
  }

 private:
  const uint64_t base_;
  const char* const what_;
  const Code code_;
  mutable std::shared_mutex mutex_;
  uint64_t last_ = 0;
  std::unordered_map<uint64_t, std::shared_ptr<T>> objects_;
};

}  // namespace effdet::acl
