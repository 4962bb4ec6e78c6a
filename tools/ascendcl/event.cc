// Events: marks on streams, by which streams and threads wait for one another.
#include <chrono>
#include <condition_variable>

#include "context.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

using Clock = std::chrono::steady_clock;

/// One time that an event was put on a stream. Whoever waits, waits for the record that was the last when it said so.
struct Record {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_done = false;
  Clock::time_point time;

  void finish() {
    const std::lock_guard lock(mutex);
    if (is_done) return;
    is_done = true;
    time = Clock::now();
    changed.notify_all();
  }
  bool done() {
    const std::lock_guard lock(mutex);
    return is_done;
  }
  /// False after the time.
  bool wait(std::optional<std::chrono::milliseconds> timeout) {
    std::unique_lock lock(mutex);
    if (timeout) return changed.wait_for(lock, *timeout, [this] { return is_done; });
    changed.wait(lock, [this] { return is_done; });
    return true;
  }
};

/// The task of a record: also a stream that is destroyed before its turn makes it done, so that nobody waits for ever.
class RecordTask {
 public:
  explicit RecordTask(std::shared_ptr<Record> record) : record_(std::move(record)) {}
  ~RecordTask() { record_->finish(); }
  RecordTask(const RecordTask&) = delete;
  RecordTask& operator=(const RecordTask&) = delete;
  void run() { record_->finish(); }

 private:
  std::shared_ptr<Record> record_;
};

struct Event {
  explicit Event(bool is_new) : is_new(is_new) {}
  const bool is_new;  ///< made by aclrtCreateEventExWithFlag: complete before it is recorded
  std::mutex mutex;
  std::shared_ptr<Record> last;  ///< null before it is recorded

  std::shared_ptr<Record> record() {
    const std::lock_guard lock(mutex);
    return last;
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

aclError create_event(const char* function, aclrtEvent* event, bool is_new = false) {
  return answer(function, [&] {
    aclrtEvent& out = need(event, "event");
    current_context();
    out = events().add(std::make_shared<Event>(is_new));
  });
}

aclError synchronize_event(const char* function, aclrtEvent handle, int32_t timeout) {
  return answer(function, [&] {
    const auto limit = timeout_of(timeout);
    const std::shared_ptr<Record> record = event_of(handle)->record();
    if (record == nullptr) return;
    require(record->wait(limit), kRtEventSyncTimeout, "not done after {} ms", timeout);
  });
}

aclError wait_for_event(const char* function, aclrtStream stream, aclrtEvent handle, int32_t timeout) {
  return answer(function, [&] {
    const auto limit = timeout_of(timeout);
    const std::shared_ptr<Record> record = event_of(handle)->record();
    const std::shared_ptr<Stream> queue = stream_of(stream);
    if (record == nullptr) return;
    queue->push([record, limit] {
      require(record->wait(limit), kRtEventSyncTimeout, "an event was not done after {} ms",
              limit ? limit->count() : -1);
    });
  });
}

Clock::time_point time_of(const std::shared_ptr<Event>& event) {
  const std::shared_ptr<Record> record = event->record();
  require(record != nullptr && record->done(), kRtEventTimestampInvalid, "the event was not recorded, or is not done");
  return record->time;
}

/// Whether an event's last record is done; `unrecorded` where it has none.
bool is_complete(aclrtEvent handle, bool unrecorded) {
  const std::shared_ptr<Record> record = event_of(handle)->record();
  return record != nullptr ? record->done() : unrecorded;
}

}  // namespace

ACL_EXPORT aclError aclrtCreateEvent(aclrtEvent* event) { return create_event("aclrtCreateEvent", event); }
ACL_EXPORT aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t /*flag*/) {
  return create_event("aclrtCreateEventWithFlag", event);
}
ACL_EXPORT aclError aclrtCreateEventExWithFlag(aclrtEvent* event, uint32_t /*flag*/) {
  return create_event("aclrtCreateEventExWithFlag", event, /*is_new=*/true);
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
    auto record = std::make_shared<Record>();
    {
      const std::lock_guard lock(event->mutex);
      event->last = record;
    }
    queue->push([task = std::make_shared<RecordTask>(std::move(record))] { task->run(); });
  });
}

/// Makes the event one that was not recorded, unless it is recorded anew before the stream comes to it.
ACL_EXPORT aclError aclrtResetEvent(aclrtEvent handle, aclrtStream stream) {
  return answer("aclrtResetEvent", [&] {
    const std::shared_ptr<Event> event = event_of(handle);
    stream_of(stream)->push([event, record = event->record()] {
      const std::lock_guard lock(event->mutex);
      if (event->last == record) event->last = nullptr;
    });
  });
}

ACL_EXPORT aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus* status) {
  return answer("aclrtQueryEvent", [&] {
    need(status, "status") = is_complete(event, true) ? ACL_EVENT_STATUS_COMPLETE : ACL_EVENT_STATUS_NOT_READY;
  });
}

ACL_EXPORT aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus* status) {
  return answer("aclrtQueryEventStatus", [&] {
    aclrtEventRecordedStatus& out = need(status, "status");
    out = is_complete(event, event_of(event)->is_new) ? ACL_EVENT_RECORDED_STATUS_COMPLETE
                                                      : ACL_EVENT_RECORDED_STATUS_NOT_READY;
  });
}

/// Whether what waits for the event may go on.
ACL_EXPORT aclError aclrtQueryEventWaitStatus(aclrtEvent event, aclrtEventWaitStatus* status) {
  return answer("aclrtQueryEventWaitStatus", [&] {
    need(status, "status") =
        is_complete(event, true) ? ACL_EVENT_WAIT_STATUS_COMPLETE : ACL_EVENT_WAIT_STATUS_NOT_READY;
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
