// Events: marks on streams, by which streams and threads wait for one another.
#include <chrono>
#include <condition_variable>

#include "context.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

using Clock = std::chrono::steady_clock;

struct Event {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0, reached = 0;  ///< how often it was put on a stream, and came to its turn there
  Clock::time_point time;              ///< of the last turn

  bool is_complete() const { return recorded > 0 && reached >= recorded; }
  /// Waits for what is recorded now; false after the time.
  bool wait(std::optional<std::chrono::milliseconds> timeout) {
    std::unique_lock lock(mutex);
    const auto done = [this, target = recorded] { return reached >= target; };
    if (timeout) return changed.wait_for(lock, *timeout, done);
    changed.wait(lock, done);
    return true;
  }
};

Handles<Event>& events() {
  static auto& kept = *new Handles<Event>(3, "event", kRtInvalidHandle);
  return kept;
}

std::shared_ptr<Event> event_of(aclrtEvent handle) {
  require(handle != nullptr, kInvalidParam, "event is null");
  return events().get(handle);
}

aclError create_event(const char* function, aclrtEvent* event) {
  return answer(function, [&] {
    aclrtEvent& out = need(event, "event");
    current_context();
    out = events().add(std::make_shared<Event>());
  });
}

aclError synchronize_event(const char* function, aclrtEvent handle, int32_t timeout) {
  return answer(function, [&] {
    const auto limit = timeout_of(timeout);
    const std::shared_ptr<Event> event = event_of(handle);
    {
      const std::lock_guard lock(event->mutex);
      require(event->recorded > 0, kRtParamInvalid, "the event was not recorded");
    }
    require(event->wait(limit), kRtEventSyncTimeout, "not done after {} ms", timeout);
  });
}

aclError wait_for_event(const char* function, aclrtStream stream, aclrtEvent handle, int32_t timeout) {
  return answer(function, [&] {
    const auto limit = timeout_of(timeout);
    stream_of(stream)->push([event = event_of(handle), limit] {
      require(event->wait(limit), kRtEventSyncTimeout, "an event was not done after {} ms",
              limit ? limit->count() : -1);
    });
  });
}

Clock::time_point time_of(const std::shared_ptr<Event>& event) {
  const std::lock_guard lock(event->mutex);
  require(event->is_complete(), kRtEventTimestampInvalid, "the event was not recorded, or is not done");
  return event->time;
}

}  // namespace

ACL_EXPORT aclError aclrtCreateEvent(aclrtEvent* event) { return create_event("aclrtCreateEvent", event); }
ACL_EXPORT aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t /*flag*/) {
  return create_event("aclrtCreateEventWithFlag", event);
}
ACL_EXPORT aclError aclrtCreateEventExWithFlag(aclrtEvent* event, uint32_t /*flag*/) {
  return create_event("aclrtCreateEventExWithFlag", event);
}

ACL_EXPORT aclError aclrtDestroyEvent(aclrtEvent event) {
  return answer("aclrtDestroyEvent", [&] {
    require(event != nullptr, kInvalidParam, "event is null");
    events().remove(event);
  });
}

ACL_EXPORT aclError aclrtRecordEvent(aclrtEvent handle, aclrtStream stream) {
  return answer("aclrtRecordEvent", [&] {
    const std::shared_ptr<Event> event = event_of(handle);
    const std::shared_ptr<Stream> queue = stream_of(stream);
    uint64_t turn = 0;
    {
      const std::lock_guard lock(event->mutex);
      turn = ++event->recorded;
    }
    queue->push([event, turn] {
      const std::lock_guard lock(event->mutex);
      event->reached = std::max(event->reached, turn);
      event->time = Clock::now();
      event->changed.notify_all();
    });
  });
}

ACL_EXPORT aclError aclrtResetEvent(aclrtEvent handle, aclrtStream stream) {
  return answer("aclrtResetEvent", [&] {
    stream_of(stream)->push([event = event_of(handle)] {
      const std::lock_guard lock(event->mutex);
      if (event->is_complete()) event->recorded = event->reached = 0;
    });
  });
}

ACL_EXPORT aclError aclrtQueryEvent(aclrtEvent handle, aclrtEventStatus* status) {
  return answer("aclrtQueryEvent", [&] {
    aclrtEventStatus& out = need(status, "status");
    const std::shared_ptr<Event> event = event_of(handle);
    const std::lock_guard lock(event->mutex);
    out = event->is_complete() ? ACL_EVENT_STATUS_COMPLETE : ACL_EVENT_STATUS_NOT_READY;
  });
}

ACL_EXPORT aclError aclrtQueryEventStatus(aclrtEvent handle, aclrtEventRecordedStatus* status) {
  return answer("aclrtQueryEventStatus", [&] {
    aclrtEventRecordedStatus& out = need(status, "status");
    const std::shared_ptr<Event> event = event_of(handle);
    const std::lock_guard lock(event->mutex);
    out = event->is_complete() ? ACL_EVENT_RECORDED_STATUS_COMPLETE : ACL_EVENT_RECORDED_STATUS_NOT_READY;
  });
}

ACL_EXPORT aclError aclrtQueryEventWaitStatus(aclrtEvent handle, aclrtEventWaitStatus* status) {
  return answer("aclrtQueryEventWaitStatus", [&] {
    aclrtEventWaitStatus& out = need(status, "status");
    const std::shared_ptr<Event> event = event_of(handle);
    const std::lock_guard lock(event->mutex);
    out = event->is_complete() ? ACL_EVENT_WAIT_STATUS_COMPLETE : ACL_EVENT_WAIT_STATUS_NOT_READY;
  });
}

ACL_EXPORT aclError aclrtSynchronizeEvent(aclrtEvent event) {
  return synchronize_event("aclrtSynchronizeEvent", event, -1);
}
ACL_EXPORT aclError aclrtSynchronizeEventWithTimeout(aclrtEvent event, int32_t timeout) {
  return synchronize_event("aclrtSynchronizeEventWithTimeout", event, timeout);
}

ACL_EXPORT aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event) {
  return wait_for_event("aclrtStreamWaitEvent", stream, event, -1);
}
ACL_EXPORT aclError aclrtStreamWaitEventWithTimeout(aclrtStream stream, aclrtEvent event, int32_t timeout) {
  return wait_for_event("aclrtStreamWaitEventWithTimeout", stream, event, timeout);
}

ACL_EXPORT aclError aclrtEventElapsedTime(float* milliseconds, aclrtEvent start, aclrtEvent end) {
  return answer("aclrtEventElapsedTime", [&] {
    float& out = need(milliseconds, "ms");
    const Clock::time_point first = time_of(event_of(start)), last = time_of(event_of(end));
    require(last >= first, kRtEventTimestampReversal, "the events are in the other order");
    out = std::chrono::duration<float, std::milli>(last - first).count();
  });
}

ACL_EXPORT aclError aclrtEventGetTimestamp(aclrtEvent event, uint64_t* microseconds) {
  return answer("aclrtEventGetTimestamp", [&] {
    uint64_t& out = need(microseconds, "timestamp");
    const auto since = time_of(event_of(event)).time_since_epoch();
    out = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
  });
}

}  // namespace effdet::acl
