// A model that is served: its streams, its queue and its two interfaces, tensors and pictures.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detector.h"
#include "effdet/output_memory.h"
#include "effdet/server.h"
#include "effdet/streams.h"
#include "server/statistics.h"
#include "server/work_queue.h"

namespace effdet::server {

/// How many requests of a model run and wait.
struct Scheduling {
  StreamLayout layout;
  WorkQueue::Limits limits;
  WorkQueue::Batching batching;
};

/// What one stream needs; its thread alone uses it.
struct Stream {
  Runner runner;
  std::optional<Detector> detector;  ///< none: the model does not tell how its outputs become detections
  std::vector<std::optional<OutputMemory>> batch_inputs = {};  ///< of each plan that ran a batch of requests
};

/// A plan's tensors, by which requests choose it.
struct PlanTensors {
  std::vector<TensorInfo> inputs, outputs;
  std::vector<size_t> input_bytes, output_bytes;
};

/// Memory for outputs, used again when an answer is sent: fresh pages for each would cost as much as the copy.
class OutputPool {
 public:
  OutputPool(std::vector<size_t> bytes, size_t most) : bytes_(std::move(bytes)) { kept_.reserve(most); }

  /// Goes back when the last copy goes.
  static std::shared_ptr<OutputMemory> take(const std::shared_ptr<OutputPool>& pool);

 private:
  std::vector<size_t> bytes_;
  std::mutex mutex_;
  std::vector<OutputMemory> kept_;  // as many as its capacity at most: what gives them back may not throw
};

class HostedModel {
 public:
  /// Throws as Runner and Detector.
  HostedModel(const ServedModel& served, const Scheduling& scheduling, const DetectOptions& detect);

  const std::string& name() const { return name_; }
  /// Of the interface that takes pictures.
  std::string pictures_name() const { return name_ + "_detect"; }
  bool takes_pictures() const { return streams_.front().detector.has_value(); }
  const std::vector<PlanTensors>& plans() const { return plans_; }
  const std::vector<std::string>& class_names() const { return class_names_; }
  const DetectOptions& detect_options() const { return detect_; }
  const std::string& device() const { return device_; }
  /// The plan for so many inputs of this plan at once, nothing where the model has none.
  std::optional<size_t> batch_plan(size_t plan, size_t count) const;
  size_t stream_count() const { return streams_.size(); }
  Stream& stream(size_t index) { return streams_[index]; }
  std::shared_ptr<OutputMemory> output_memory(size_t plan) { return OutputPool::take(pools_[plan]); }
  StatisticsBoard& tensor_statistics() { return tensor_statistics_; }
  StatisticsBoard& picture_statistics() { return picture_statistics_; }
  WorkQueue& queue() { return queue_; }

 private:
  std::string name_, device_;
  DetectOptions detect_;
  std::vector<PlanTensors> plans_;
  std::vector<std::string> class_names_;
  std::vector<Stream> streams_;
  std::vector<std::shared_ptr<OutputPool>> pools_;
  StatisticsBoard tensor_statistics_, picture_statistics_;
  WorkQueue queue_;  // last: its threads use the rest
};

}  // namespace effdet::server
