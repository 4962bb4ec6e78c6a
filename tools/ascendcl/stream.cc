// A queue of tasks and the thread that runs them; the stream functions of the interface.
#include "stream.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "context.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {

struct Stream::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> tasks;
  uint64_t pushed = 0, done = 0;
  bool closed = false;
  std::thread::id thread;
  std::optional<Failure> failure;

  void run() {
    std::unique_lock lock(mutex);
    thread = std::this_thread::get_id();
    for (;;) {
      changed.wait(lock, [this] { return closed || !tasks.empty(); });
      if (tasks.empty()) return;
      std::function<void()> task = std::move(tasks.front());
      tasks.pop_front();
      lock.unlock();
      std::optional<Failure> fault;
      if (const aclError code = answer("a stream's task", task); code != kSuccess) {
        const char* text = aclGetRecentErrMsg();
        fault = Failure{code, text != nullptr ? text : ""};
      }
      task = nullptr;
      lock.lock();
      ++done;
      if (fault && !failure) failure = std::move(fault);
      changed.notify_all();
    }
  }
};

Stream::Stream(void* context) : context_(context), queue_(std::make_shared<Queue>()) {
  static std::atomic<int32_t> last = 0;
  id_ = ++last;
  std::thread([queue = queue_] { queue->run(); }).detach();
}

Stream::~Stream() {
  std::unique_lock lock(queue_->mutex);
  queue_->closed = true;
  queue_->changed.notify_all();
}

void Stream::push(std::function<void()> task) {
  const std::lock_guard lock(queue_->mutex);
  queue_->tasks.push_back(std::move(task));
  ++queue_->pushed;
  queue_->changed.notify_all();
}

void Stream::synchronize(std::optional<std::chrono::milliseconds> timeout) {
  std::unique_lock lock(queue_->mutex);
  require(queue_->thread != std::this_thread::get_id(), kRtParamInvalid, "a task of the stream waits for the stream");
  const uint64_t target = queue_->pushed;
  const auto reached = [&] { return queue_->done >= target; };
  if (!timeout) {
    queue_->changed.wait(lock, reached);
  } else {
    require(queue_->changed.wait_for(lock, *timeout, reached), kRtStreamSyncTimeout, "not done after {} ms",
            timeout->count());
  }
  if (const std::optional<Failure> failure = std::exchange(queue_->failure, std::nullopt)) throw Failure(*failure);
}

bool Stream::is_idle() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->done == queue_->pushed;
}

void Stream::drop_tasks() {
  std::deque<std::function<void()>> dropped;  // go after the lock: events that they would have reached are done by that
  const std::lock_guard lock(queue_->mutex);
  queue_->done += queue_->tasks.size();
  dropped.swap(queue_->tasks);
  queue_->changed.notify_all();
}

Handles<Stream>& streams() {
  static auto& kept = *new Handles<Stream>(2, "stream", kRtInvalidHandle);
  return kept;
}

std::shared_ptr<Stream> stream_of(void* handle) {
  const std::shared_ptr<Context> context = current_context();
  if (handle == nullptr) return context->default_stream();
  std::shared_ptr<Stream> stream = streams().get(handle);
  require(stream->context() == context->handle(), kRtStreamContext, "the stream belongs to another context");
  return stream;
}

std::optional<std::chrono::milliseconds> timeout_of(int32_t milliseconds) {
  require(milliseconds >= -1, kRtParamInvalid, "timeout = {} is below -1", milliseconds);
  return milliseconds == -1 ? std::nullopt : std::optional(std::chrono::milliseconds(milliseconds));
}

namespace {

aclError create_stream(const char* function, aclrtStream* stream) {
  return answer(function, [&] {
    aclrtStream& out = need(stream, "stream");
    out = streams().add(std::make_shared<Stream>(current_context()->handle()));
  });
}

aclError synchronize_stream(const char* function, aclrtStream stream, int32_t timeout) {
  return answer(function, [&] {
    const auto limit = timeout_of(timeout);
    stream_of(stream)->synchronize(limit);
  });
}

}  // namespace

ACL_EXPORT aclError aclrtCreateStream(aclrtStream* stream) { return create_stream("aclrtCreateStream", stream); }
ACL_EXPORT aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t /*priority*/, uint32_t /*flag*/) {
  return create_stream("aclrtCreateStreamWithConfig", stream);
}

ACL_EXPORT aclError aclrtDestroyStream(aclrtStream stream) {
  return answer("aclrtDestroyStream", [&] {
    require(stream != nullptr, kInvalidParam, "stream is null");
    const std::shared_ptr<Stream> last = stream_of(stream);
    require(last != current_context()->default_stream(), kInvalidParam, "a context's default stream goes with it");
    last->synchronize();
    streams().remove(stream);
  });
}

ACL_EXPORT aclError aclrtDestroyStreamForce(aclrtStream stream) {
  return answer("aclrtDestroyStreamForce", [&] {
    require(stream != nullptr, kInvalidParam, "stream is null");
    stream_of(stream)->drop_tasks();
    streams().remove(stream);
  });
}

ACL_EXPORT aclError aclrtSynchronizeStream(aclrtStream stream) {
  return synchronize_stream("aclrtSynchronizeStream", stream, -1);
}
ACL_EXPORT aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout) {
  return synchronize_stream("aclrtSynchronizeStreamWithTimeout", stream, timeout);
}

ACL_EXPORT aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus* status) {
  return answer("aclrtStreamQuery", [&] {
    aclrtStreamStatus& out = need(status, "status");
    out = stream_of(stream)->is_idle() ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
  });
}

ACL_EXPORT aclError aclrtStreamGetId(aclrtStream stream, int32_t* id) {
  return answer("aclrtStreamGetId", [&] { need(id, "streamId") = stream_of(stream)->id(); });
}

/// Streams have no properties that would change what they do.
ACL_EXPORT aclError aclrtStreamGetFlags(aclrtStream stream, uint32_t* flags) {
  return answer("aclrtStreamGetFlags", [&] {
    uint32_t& out = need(flags, "flags");
    stream_of(stream);
    out = 0;
  });
}
/// Mode 0 goes on after a failure, as streams here do; 1 would stop.
ACL_EXPORT aclError aclrtSetStreamFailureMode(aclrtStream stream, uint64_t mode) {
  return answer("aclrtSetStreamFailureMode", [&] {
    require(stream != nullptr, kInvalidParam, "stream is null");
    stream_of(stream);
    require(mode <= 1, kInvalidParam, "mode {} is neither 0 nor 1", mode);
  });
}
ACL_EXPORT aclError aclrtStreamAbort(aclrtStream stream) {
  return answer("aclrtStreamAbort", [&] {
    require(stream != nullptr, kInvalidParam, "stream is null");
    stream_of(stream)->drop_tasks();
  });
}

}  // namespace effdet::acl
