// Streams: Runners of one model that run at the same time.
#include "effdet/streams.h"

#include "base/error.h"
#include "base/thread_pool.h"
#include "runtime/streams.h"

namespace effdet {

StreamLayout runtime::settled(StreamLayout layout) {
  if (layout.streams < 1) fail(ErrorCode::kUsage, "{} streams: there must be one at least", layout.streams);
  if (layout.threads < 1) layout.threads = threads_a_stream(default_thread_count(), layout.streams);
  return layout;
}

struct Streams::Impl {
  StreamLayout layout;
  std::vector<Runner> runners;
};

Streams::Streams(const CompiledModel& model, StreamLayout layout) : impl_(new Impl{runtime::settled(layout), {}}) {
  for (int i = 0; i < impl_->layout.streams; ++i) impl_->runners.emplace_back(model, impl_->layout.threads);
}

Streams::~Streams() = default;
Streams::Streams(Streams&&) noexcept = default;

StreamLayout Streams::layout() const { return impl_->layout; }
Runner& Streams::runner(int stream) { return impl_->runners.at(static_cast<size_t>(stream)); }

void Streams::for_each(size_t count, const std::function<void(size_t item, int stream)>& work) {
  runtime::run_streams(impl_->runners.size(), count,
                       [&](size_t item, size_t stream) { work(item, static_cast<int>(stream)); });
}

}  // namespace effdet
