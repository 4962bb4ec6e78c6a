// A queue of images before a thread and a Detector for each stream.
#include "effdet/async_detector.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "effdet/detector.h"
#include "runtime/streams.h"

namespace effdet {

struct AsyncDetector::Impl {
  struct Job {
    RgbImage image;
    std::string name;
    std::promise<std::vector<Detection>> result;
  };

  std::vector<Detector> detectors;
  size_t longest;
  mutable std::mutex mutex;
  std::condition_variable work, room;
  std::deque<Job> queue;
  bool ends = false;
  std::vector<std::thread> threads;

  Impl(const CompiledModel& model, const AsyncOptions& options) {
    const StreamLayout layout = runtime::settled(options.layout);
    longest = options.queue > 0 ? options.queue : static_cast<size_t>(layout.streams);
    for (int i = 0; i < layout.streams; ++i) detectors.emplace_back(model, layout.threads, options.detect);
    try {
      for (Detector& detector : detectors) threads.emplace_back([this, &detector] { serve(detector); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~Impl() { stop(); }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      ends = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void serve(Detector& detector) {
    for (std::unique_lock lock(mutex);;) {
      work.wait(lock, [&] { return ends || !queue.empty(); });
      if (queue.empty()) return;
      Job job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      room.notify_one();
      try {
        job.result.set_value(detector.detect(job.image, job.name));
      } catch (...) {
        job.result.set_exception(std::current_exception());
      }
      lock.lock();
    }
  }

  /// With the mutex held, and room in the queue.
  Result accept(RgbImage image, std::string name) {
    Job& job = queue.emplace_back(std::move(image), std::move(name));
    work.notify_one();
    return job.result.get_future();
  }
};

AsyncDetector::AsyncDetector(const CompiledModel& model, const AsyncOptions& options)
    : impl_(new Impl(model, options)) {}
AsyncDetector::~AsyncDetector() = default;

AsyncDetector::Result AsyncDetector::submit(RgbImage image, std::string name) {
  std::unique_lock lock(impl_->mutex);
  impl_->room.wait(lock, [&] { return impl_->queue.size() < impl_->longest; });
  return impl_->accept(std::move(image), std::move(name));
}

std::optional<AsyncDetector::Result> AsyncDetector::try_submit(RgbImage& image, std::string name) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->queue.size() >= impl_->longest) return std::nullopt;
  return impl_->accept(std::move(image), std::move(name));
}

size_t AsyncDetector::waiting() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->queue.size();
}

}  // namespace effdet
