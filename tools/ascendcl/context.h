// Contexts: each belongs to a device, and each thread has one at a time.
#pragma once

#include <memory>
#include <mutex>

#include "handles.h"
#include "stream.h"

namespace effdet::acl {

class Context : public std::enable_shared_from_this<Context> {
 public:
  /// of_device: the one that aclrtSetDevice makes.
  explicit Context(int device, bool of_device = false) : device_(device), of_device_(of_device) {}
  bool is_of_device() const { return of_device_; }
  int device() const { return device_; }
  /// What add_context() gave.
  void* handle() const { return handle_; }
  /// Made when it is first asked for.
  std::shared_ptr<Stream> default_stream();
  /// For a context that is destroyed.
  void drop_default_stream();
  /// The handle of the default stream.
  void* default_stream_handle();

 private:
  friend void* add_context(std::shared_ptr<Context> context);
  const int device_;
  const bool of_device_;
  void* handle_ = nullptr;
  std::mutex mutex_;
  std::shared_ptr<Stream> default_stream_;
  void* default_stream_handle_ = nullptr;
};

Handles<Context>& contexts();
void* add_context(std::shared_ptr<Context> context);
/// The calling thread's. Throws Failure(kRtContextNull) where it has none, or one that was destroyed.
std::shared_ptr<Context> current_context();
/// handle: null for none.
void set_current_context(void* handle);
/// Waits for all streams of a context.
void synchronize_context(const Context& context, std::optional<std::chrono::milliseconds> timeout);
/// Takes a context away, with its streams.
void destroy_context(void* handle);

}  // namespace effdet::acl
