// Reads samples, runs them on several streams, and writes outputs, each on threads of their own.
#include "data_run.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <optional>

#include "cli.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "effdet/output_memory.h"
#include "input_paths.h"
#include "plans.h"
#include "progress.h"
#include "statistics.h"
#include "timed_runner.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// A thread of its own, or, where the system refuses one, the thread that waits for the result.
constexpr std::launch kInBackground = std::launch::async | std::launch::deferred;

void refuse_nan(std::span<const std::byte> floats, const fs::path& path) {
  for (size_t at = 0; at + sizeof(float) <= floats.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &floats[at], sizeof value);
    if (std::isnan(value))
      throw Error(ErrorCode::kBadInput, fmt::format("{}: the value at offset {} is NaN", path.string(), at));
  }
}

/// Runs a network on what a file holds, and names the file where a device fails.
template <typename Run>
auto run_named(const fs::path& path, Run&& run) {
  try {
    return run();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()));
  }
}

/// Of the only input: a file holds samples of it.
std::string input_type(const CompiledModel& model) {
  const std::vector<TensorInfo> inputs = model.inputs();
  if (inputs.size() != 1)
    throw Error(ErrorCode::kUnsupported,
                fmt::format("the model has {} inputs, but a file holds samples of one: 'effdet run --input NAME=FILE' "
                            "takes several, and -round or --loop needs no files",
                            inputs.size()));
  return inputs[0].dtype;
}

/// A plan of the model, and the samples that it takes at once.
struct BatchPlan {
  size_t index;
  size_t batch;
};

/// The given plan, and smaller batches of the same size, the smallest first.
std::vector<BatchPlan> plans_up_to(const CompiledModel& model, size_t plan) {
  const CompiledModel largest = model.plan(plan);
  std::vector<BatchPlan> plans;
  for (size_t i = 0; i < model.plan_count(); ++i) {
    const CompiledModel other = model.plan(i);
    if (input_size(other) == input_size(largest) && batch_of(other) <= batch_of(largest))
      plans.push_back({i, static_cast<size_t>(batch_of(other))});
  }
  std::ranges::sort(plans, {}, &BatchPlan::batch);
  return plans;
}

class DataRun {
 public:
  DataRun(const CompiledModel& model, const DataRunOptions& options)
      : options_(options),
        model_(model),
        batch_(static_cast<size_t>(batch_of(model.plan(options.plan)))),
        plans_(plans_up_to(model, options.plan)),
        input_type_(input_type(model)),
        streams_(model, options.layout) {
    require_unique_stems(options.inputs);
    samples_ = options.plan_by_shape
                   ? batch_
                   : samples_in(options.inputs.front(), streams_.runner(0).input_bytes(options.plan)[0], batch_);
    if (std::ranges::any_of(options.inputs, is_image_name)) image_input_.emplace(model.plan(options.plan));
    for (size_t i = 0; i < model.plan_count(); ++i) {
      plan_outputs_.push_back(model.plan(i).outputs());
      plan_batches_.push_back(static_cast<size_t>(batch_of(model.plan(i))));
    }
    check_outputs();
    for (int i = 0; i < streams_.layout().streams; ++i)
      lanes_.emplace_back(streams_.runner(i), most_bytes(&Runner::input_bytes), most_bytes(&Runner::output_bytes));
  }

  StageTimes run() {
    for (Lane& lane : lanes_) {
      lane.slots[0].plan = options_.plan_by_shape ? options_.plan : plan_for(0);
      for (int i = 0; i < options_.warm_up; ++i) infer(0, lane, lane.slots[0]);
    }
    for (Lane& lane : lanes_)
      for (Slot& slot : lane.slots) slot.times = {};
    ProgressBar bar("benchmark");
    bar_ = &bar;
    const auto start = Clock::now();
    for (size_t i = 0; i < lanes_[0].slots.size(); ++i)
      for (Lane& lane : lanes_) start_reading(lane.slots[i]);
    streams_.for_each(lanes_.size(), [this](size_t lane, int) { run_lane(lanes_[lane]); });
    StageTimes times;
    times.total = milliseconds_since(start);
    times.samples_a_file = samples_;
    for (const Lane& lane : lanes_)
      for (const Slot& slot : lane.slots) times.append(slot.times);
    return times;
  }

 private:
  /// A batch on its way. The next one may be read into a slot while the outputs of the last one are written from it.
  struct Slot {
    Slot(size_t input_bytes, const std::vector<size_t>& output_bytes) : input(input_bytes), outputs(output_bytes) {}

    size_t batch = 0;
    size_t plan = 0;  ///< that its input is for
    std::vector<std::byte> input;
    OutputMemory outputs;
    StageTimes times;
    std::future<void> reading, writing;  // the last members: they end before what they use
  };
  /// One stream's runner, which infers the slots in turn.
  struct Lane {
    Lane(Runner& own, const std::vector<size_t>& input_bytes, const std::vector<size_t>& output_bytes)
        : runner(own), slots{Slot(input_bytes[0], output_bytes), Slot(input_bytes[0], output_bytes)} {}
    Runner& runner;
    std::array<Slot, 2> slots;
  };

  /// Of each tensor, in the plan where it is the largest.
  template <typename Bytes>
  std::vector<size_t> most_bytes(Bytes bytes_of) {
    const Runner& runner = streams_.runner(0);
    std::vector<size_t> most = (runner.*bytes_of)(options_.plan);
    for (size_t plan = 0; options_.plan_by_shape && plan < plan_outputs_.size(); ++plan)
      for (size_t i = 0; i < most.size(); ++i) most[i] = std::max(most[i], (runner.*bytes_of)(plan)[i]);
    return most;
  }

  /// Files of a batch.
  size_t first(size_t batch) const { return batch * files_of(options_.plan); }
  size_t end(size_t batch) const { return std::min(first(batch + 1), options_.inputs.size()); }

  /// Files that share the outputs of a plan.
  size_t files_of(size_t plan) const { return options_.plan_by_shape ? 1 : plan_batches_[plan] / samples_; }

  void check_outputs() const {
    for (const TensorInfo& output : plan_outputs_[options_.plan]) {
      const size_t axis = options_.output_axis, files = files_of(options_.plan);
      const bool counts_samples =
          axis > 0 || files == 1 || output.shape.empty() || output.shape[0] == static_cast<int64_t>(batch_);
      if (axis >= output.shape.size() || !counts_samples || output.shape[axis] % static_cast<int64_t>(files) != 0)
        throw Error(ErrorCode::kUnsupported,
                    fmt::format("output '{}' ({}) has no part for each sample along its axis {}", output.name,
                                shape_text(output.shape), axis));
      if (options_.format != DumpFormat::kBin && output.dtype != "float32")
        throw Error(ErrorCode::kUnsupported,
                    fmt::format("output '{}' is {}, which only .bin files hold", output.name, output.dtype));
    }
  }

  void run_lane(Lane& lane) try {
    for (size_t round = 0;; ++round) {
      Slot& slot = lane.slots[round % lane.slots.size()];
      const size_t batch = slot.batch;
      if (first(batch) >= options_.inputs.size()) break;
      slot.reading.get();
      if (slot.writing.valid()) slot.writing.get();
      infer(batch, lane, slot);
      if (!options_.folder.empty())
        slot.writing = std::async(
            kInBackground, [this, batch, plan = slot.plan, &lane, &slot] { write(batch, plan, lane.runner, slot); });
      start_reading(slot);
      const std::lock_guard lock(bar_mutex_);
      bar_->update(done_ += end(batch) - first(batch), options_.inputs.size());
    }
    for (Slot& slot : lane.slots)
      if (slot.writing.valid()) slot.writing.get();
  } catch (...) {
    next_batch_ = options_.inputs.size();  // the other streams need not go on
    throw;
  }

  /// Claims the next batch.
  void start_reading(Slot& slot) {
    slot.batch = next_batch_++;
    if (first(slot.batch) < options_.inputs.size())
      slot.reading = std::async(kInBackground, [this, batch = slot.batch, &slot] { read(batch, slot); });
  }

  void read(size_t batch, Slot& slot) {
    if (options_.plan_by_shape) return read_by_shape(options_.inputs[batch], slot);
    slot.plan = plan_for(batch);
    const size_t bytes = slot.input.size() / batch_ * samples_;
    for (size_t i = first(batch); i < end(batch); ++i) {
      const fs::path& path = options_.inputs[i];
      const auto sample = std::span(slot.input).subspan((i - first(batch)) * bytes, bytes);
      auto begin = Clock::now();
      if (is_image_name(path)) {
        image_input_->read(path, sample);
      } else {
        read_tensor(path, input_type_, sample);
        slot.times.read.push_back(milliseconds_since(begin));
        begin = Clock::now();  // of a tensor, only its check is left to do
        if (input_type_ == "float32") refuse_nan(sample, path);
      }
      slot.times.preprocess.push_back(milliseconds_since(begin));
    }
  }

  void read_by_shape(const fs::path& path, Slot& slot) const {
    auto begin = Clock::now();
    if (extension_of(path) != ".npy")
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: only .npy files say the shape of what they hold", path.string()));
    const HostTensor tensor = effdet::read_tensor(path);
    const TensorInfo input = model_.inputs()[0];
    const auto plan = plan_of_shapes(model_, {{input.name, tensor.shape}});
    if (!plan || tensor.dtype != input_type_)
      throw Error(ErrorCode::kBadInput,
                  fmt::format("{}: holds {} of {}, for which the model has no plan, but for {} of {}", path.string(),
                              tensor.dtype, shape_text(tensor.shape), input_type_, shapes_of_plans(model_)));
    slot.plan = *plan;
    std::ranges::copy(tensor.bytes, slot.input.begin());
    slot.times.read.push_back(milliseconds_since(begin));
    begin = Clock::now();
    if (input_type_ == "float32") refuse_nan(tensor.bytes, path);
    slot.times.preprocess.push_back(milliseconds_since(begin));
  }

  /// The smallest plan that takes all samples of a batch: the last may be partial.
  size_t plan_for(size_t batch) const {
    const size_t samples = (end(batch) - first(batch)) * samples_;
    return std::ranges::find_if(plans_, [&](const BatchPlan& plan) { return plan.batch >= samples; })->index;
  }

  void infer(size_t batch, Lane& lane, Slot& slot) {
    const auto input = std::span<const std::byte>(slot.input).first(lane.runner.input_bytes(slot.plan)[0]);
    std::vector<std::span<std::byte>> outputs;
    for (size_t k = 0; k < slot.outputs.outputs().size(); ++k)
      outputs.push_back(slot.outputs.outputs()[k].first(lane.runner.output_bytes(slot.plan)[k]));
    const RunTimes times = run_named(options_.inputs[first(batch)], [&] {
      return timed_run(lane.runner, {&input, 1}, outputs, slot.plan);
    });
    slot.times.infer.push_back(times.compute);
    slot.times.to_device.push_back(times.to_device);
    slot.times.from_device.push_back(times.from_device);
    slot.times.samples += static_cast<double>(plan_batches_[slot.plan]);
  }

  /// plan: that the outputs are of; the slot's may be the next one's.
  void write(size_t batch, size_t plan, const Runner& runner, Slot& slot) {
    const std::vector<TensorInfo>& outputs = plan_outputs_[plan];
    for (size_t i = first(batch); i < end(batch); ++i) {  // the rest of a partial batch is no sample
      const auto begin = Clock::now();
      for (size_t k = 0; k < outputs.size(); ++k)
        write_part(options_.folder / fmt::format("{}_{}", options_.inputs[i].stem().string(),
                                                 k + static_cast<size_t>(options_.first_output)),
                   options_.format, outputs[k], slot.outputs.outputs()[k].first(runner.output_bytes(plan)[k]),
                   {options_.output_axis, files_of(plan), i - first(batch)});
      slot.times.post.push_back(milliseconds_since(begin));
    }
  }

  const DataRunOptions& options_;
  const CompiledModel& model_;
  std::vector<std::vector<TensorInfo>> plan_outputs_;
  std::vector<size_t> plan_batches_;
  size_t batch_, samples_ = 1;  ///< samples of a batch, and of a file
  std::vector<BatchPlan> plans_;
  std::string input_type_;
  std::optional<ImageInput> image_input_;
  Streams streams_;
  std::atomic<size_t> next_batch_{0};
  std::mutex bar_mutex_;
  size_t done_ = 0;
  ProgressBar* bar_ = nullptr;
  std::deque<Lane> lanes_;  // the last member: tasks of its slots use the others
};

struct Stage {
  const char* name;
  std::vector<double> StageTimes::*times;
};
constexpr Stage kStages[] = {{"read", &StageTimes::read},
                             {"preprocess", &StageTimes::preprocess},
                             {"infer", &StageTimes::infer},
                             {"post", &StageTimes::post}};

}  // namespace

void StageTimes::append(const StageTimes& other) {
  const auto join = [&](std::vector<double> StageTimes::*times) {
    const auto& more = other.*times;
    (this->*times).insert((this->*times).end(), more.begin(), more.end());
  };
  for (const Stage& stage : kStages) join(stage.times);
  join(&StageTimes::to_device);
  join(&StageTimes::from_device);
  samples += other.samples;
}

StageTimes run_on_files(const CompiledModel& model, const DataRunOptions& options) {
  return DataRun(model, options).run();
}

void print_stages(const StageTimes& times) {
  Table table;
  table.add(statistics_headings("stage"));
  for (const Stage& stage : kStages) {
    const Statistics statistics = statistics_of(times.*stage.times);
    if (statistics.count > 0) table.add(statistics_cells(stage.name, statistics));
  }
  table.print();
}

nlohmann::json stages_json(const StageTimes& times) {
  nlohmann::json json;
  for (const Stage& stage : kStages) json[stage.name] = statistics_json(statistics_of(times.*stage.times));
  return json;
}

uint64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace effdet::cli
