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
    const Threads team(layout.threads);  // a stream does one thing at a time
    streams.push_back({.runner = Runner(model, team)});
    try {
      streams.back().detector.emplace(model, team, detect);
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
            if (pool->kept_.size() < pool->kept_.capacity()) pool->kept_.push_back(std::move(*owned));
          }};
}

std::optional<size_t> HostedModel::batch_plan(size_t plan, size_t count) const {
  const auto is_larger = [&](const std::vector<TensorInfo>& one, const std::vector<TensorInfo>& all) {
    return std::ranges::equal(one, all, [&](const TensorInfo& a, const TensorInfo& b) {
      return a.name == b.name && a.dtype == b.dtype && a.shape.size() == b.shape.size() && !a.shape.empty() &&
             a.shape[0] * static_cast<int64_t>(count) == b.shape[0] &&
             std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1);
    });
  };
  for (size_t i = 0; i < plans_.size(); ++i)
    if (is_larger(plans_[plan].inputs, plans_[i].inputs) && is_larger(plans_[plan].outputs, plans_[i].outputs))
      return i;
  return std::nullopt;
}

HostedModel::HostedModel(const ServedModel& served, const Scheduling& scheduling, const DetectOptions& detect)
    : name_(served.name),
      device_(served.model.device()),
      detect_(detect),
      streams_(make_streams(served.model, settled(scheduling.layout), detect)),
      queue_(streams_.size(), scheduling.limits, scheduling.batching) {
  plans_ = plan_tensors(served.model, streams_.front().runner);
  class_names_ = names_of_classes(served.model, takes_pictures());
  for (const PlanTensors& plan : plans_)
    pools_.push_back(std::make_shared<OutputPool>(plan.output_bytes, streams_.size() + 2));
}

}  // namespace effdet::server
