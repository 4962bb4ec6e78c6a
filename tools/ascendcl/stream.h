// Streams: what is put on one runs in order, on a thread of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "handles.h"

namespace effdet::acl {

class Stream {
 public:
  /// context: the handle that the stream belongs to.
  explicit Stream(void* context);
  /// Waits for what is on it.
  ~Stream();

  void* context() const { return context_; }
  int32_t id() const { return id_; }
  /// Returns at once. What the task throws is what the next synchronize() throws; later tasks run nevertheless.
  void push(std::function<void()> task);
  /// Waits until all is done that was on the stream when it was called. Throws Failure(kRtStreamSyncTimeout), and what
  /// the first failing task since the last synchronisation threw.
  void synchronize(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  bool is_idle() const;
  /// Throws away what has not begun.
  void drop_tasks();

 private:
  struct Queue;
  void* context_;
  int32_t id_;
  std::shared_ptr<Queue> queue_;  ///< shared with the thread
};

Handles<Stream>& streams();
/// The stream of a handle, or the default stream of the thread's context for null. Throws Failure, also for a stream of
/// another context.
std::shared_ptr<Stream> stream_of(void* handle);

/// A timeout in milliseconds as the interface has it: -1 for none. Throws Failure(kRtParamInvalid) below.
std::optional<std::chrono::milliseconds> timeout_of(int32_t milliseconds);

}  // namespace effdet::acl
