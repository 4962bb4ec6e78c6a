// Sets up what a model needs to be served.
#include "server/hosted_model.h"

#include <algorithm>
#include <utility>

#include "base/thread_pool.h"
#include "effdet/error.h"
#include "server/data_types.h"

namespace effdet::server {
namespace {

/// Threads are divided among streams where nobody says how many each has.
StreamLayout settled(StreamLayout layout) {
  if (layout.streams < 1) throw Error(ErrorCode::kUsage, "a model needs one stream at least");
  if (layout.threads < 1) layout.threads = std::max(1, base::default_thread_count() / layout.streams);
  return layout;
}

std::vector<Stream> make_streams(const CompiledModel& model, StreamLayout layout, const DetectOptions& detect) {
  std::vector<Stream> streams;
  for (int i = 0; i < layout.streams; ++i) {
    streams.push_back({.runner = Runner(model, layout.threads)});
    try {
      streams.back().detector.emplace(model, layout.threads, detect);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) throw;  // a model that is no detector still takes tensors
    }
  }
  return streams;
}

std::vector<PlanTensors> plan_tensors(const CompiledModel& model, const Runner& runner) {
  std::vector<PlanTensors> plans;
  for (size_t i = 0; i < model.plan_count(); ++i) {
    const CompiledModel plan = model.plan(i);
    plans.push_back({plan.inputs(), plan.outputs(), runner.input_bytes(i), runner.output_bytes(i)});
    for (const auto& tensors : {plans.back().inputs, plans.back().outputs})
      for (const TensorInfo& tensor : tensors)
        if (data_type_of(tensor.dtype) == nullptr)
          throw Error(ErrorCode::kUnsupported, "tensor '" + tensor.name + "' has type " + tensor.dtype +
                                                   ", which the inference protocol does not have");
  }
  return plans;
}

std::vector<std::string> names_of_classes(const CompiledModel& model, bool is_detector) {
  return is_detector ? class_names_of(model.description()) : std::vector<std::string>();
}

}  // namespace

std::shared_ptr<OutputMemory> OutputPool::take(const std::shared_ptr<OutputPool>& pool) {
  std::optional<OutputMemory> memory;
  {
    const std::lock_guard lock(pool->mutex_);
    if (!pool->kept_.empty()) {
      memory.emplace(std::move(pool->kept_.back()));
      pool->kept_.pop_back();
    }
  }
  if (!memory) memory.emplace(pool->bytes_);
  return {new OutputMemory(std::move(*memory)), [pool](OutputMemory* used) {
            const std::unique_ptr<OutputMemory> owned(used);
            const std::lock_guard lock(pool->mutex_);
            if (pool->kept_.size() < pool->most_) pool->kept_.push_back(std::move(*owned));
          }};
}

HostedModel::HostedModel(const ServedModel& served, const Scheduling& scheduling, const DetectOptions& detect)
    : name_(served.name),
      device_(served.model.device()),
      detect_(detect),
      streams_(make_streams(served.model, settled(scheduling.layout), detect)),
      queue_(streams_.size(), scheduling.limits) {
  plans_ = plan_tensors(served.model, streams_.front().runner);
  class_names_ = names_of_classes(served.model, takes_pictures());
  for (const PlanTensors& plan : plans_)
    pools_.push_back(std::make_shared<OutputPool>(plan.output_bytes, streams_.size() + 2));
}

}  // namespace effdet::server
