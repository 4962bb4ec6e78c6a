// Functions of the program that streams call, on the thread that subscribed to them or on the stream's own.
#include <condition_variable>
#include <deque>
#include <map>

#include "context.h"
#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

/// What streams want a thread to call.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> calls;
};

/// Threads by the number that pthread_self() gives, and by the streams that they subscribed to.
struct Subscriptions {
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<Mailbox>> of_thread;
  std::map<int32_t, uint64_t> thread_of_stream;
};
Subscriptions& subscriptions() {
  static auto& kept = *new Subscriptions;
  return kept;
}

uint64_t this_thread() { return static_cast<uint64_t>(::pthread_self()); }

}  // namespace

ACL_EXPORT aclError aclrtSubscribeReport(uint64_t thread, aclrtStream stream) {
  return answer("aclrtSubscribeReport", [&] {
    const int32_t id = stream_of(stream)->id();
    Subscriptions& s = subscriptions();
    const std::lock_guard lock(s.mutex);
    require(s.thread_of_stream.emplace(id, thread).second, kRtStreamSubscribe, "the stream has a thread already");
    std::shared_ptr<Mailbox>& mailbox = s.of_thread[thread];
    if (mailbox == nullptr) mailbox = std::make_shared<Mailbox>();
  });
}

ACL_EXPORT aclError aclrtUnSubscribeReport(uint64_t thread, aclrtStream stream) {
  return answer("aclrtUnSubscribeReport", [&] {
    const int32_t id = stream_of(stream)->id();
    Subscriptions& s = subscriptions();
    const std::lock_guard lock(s.mutex);
    const auto found = s.thread_of_stream.find(id);
    require(found != s.thread_of_stream.end() && found->second == thread, kRtThreadSubscribe,
            "thread {} did not subscribe to the stream", thread);
    s.thread_of_stream.erase(found);
    for (const auto& [other, subscriber] : s.thread_of_stream)
      if (subscriber == thread) return;
    s.of_thread.erase(thread);
  });
}

ACL_EXPORT aclError aclrtLaunchCallback(aclrtCallback function, void* data, aclrtCallbackBlockType block,
                                        aclrtStream stream) {
  return answer("aclrtLaunchCallback", [&] {
    require(function != nullptr, kInvalidParam, "fn is null");
    require(block <= ACL_CALLBACK_BLOCK, kInvalidParam, "blockType {} is neither 0 nor 1",
            static_cast<unsigned>(block));
    const std::shared_ptr<Stream> queue = stream_of(stream);
    std::shared_ptr<Mailbox> mailbox;
    {
      Subscriptions& s = subscriptions();
      const std::lock_guard lock(s.mutex);
      const auto found = s.thread_of_stream.find(queue->id());
      require(found != s.thread_of_stream.end(), kRtStreamNoCbReg, "no thread subscribed to the stream");
      mailbox = s.of_thread.at(found->second);
    }
    queue->push([mailbox, function, data, waits = block == ACL_CALLBACK_BLOCK] {
      auto called = std::make_shared<bool>(false);
      std::unique_lock lock(mailbox->mutex);
      mailbox->calls.push_back([mailbox, function, data, called] {
        function(data);
        const std::lock_guard done(mailbox->mutex);
        *called = true;
        mailbox->changed.notify_all();
      });
      mailbox->changed.notify_all();
      if (waits) mailbox->changed.wait(lock, [&] { return *called; });
    });
  });
}

ACL_EXPORT aclError aclrtProcessReport(int32_t timeout) {
  return answer("aclrtProcessReport", [&] {
    require(timeout > 0 || timeout == -1, kInvalidParam, "timeout = {} is neither above 0 nor -1", timeout);
    std::shared_ptr<Mailbox> mailbox;
    {
      Subscriptions& s = subscriptions();
      const std::lock_guard lock(s.mutex);
      const auto found = s.of_thread.find(this_thread());
      require(found != s.of_thread.end(), kRtThreadSubscribe, "this thread subscribed to no stream");
      mailbox = found->second;
    }
    std::unique_lock lock(mailbox->mutex);
    const auto some = [&] { return !mailbox->calls.empty(); };
    if (timeout == -1)
      mailbox->changed.wait(lock, some);
    else
      require(mailbox->changed.wait_for(lock, std::chrono::milliseconds(timeout), some), kRtReportTimeout,
              "nothing to call after {} ms", timeout);
    const std::function<void()> call = std::move(mailbox->calls.front());
    mailbox->calls.pop_front();
    lock.unlock();
    call();
  });
}

ACL_EXPORT aclError aclrtLaunchHostFunc(aclrtStream stream, aclrtHostFunc function, void* arguments) {
  return answer("aclrtLaunchHostFunc", [&] {
    require(function != nullptr, kInvalidParam, "fn is null");
    stream_of(stream)->push([function, arguments] { function(arguments); });
  });
}

}  // namespace effdet::acl
