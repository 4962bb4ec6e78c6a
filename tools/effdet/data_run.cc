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
    throw Error(error.code(), fmt::format("{}: {}", one_line(path.string()), error.what()));
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
        output_info_(model.plan(options.plan).outputs()),
        batch_(static_cast<size_t>(batch_of(model.plan(options.plan)))),
        plans_(plans_up_to(model, options.plan)),
        input_type_(input_type(model)),
        streams_(model, options.layout) {
    require_unique_stems(options.inputs);
    samples_ = samples_in(options.inputs.front(), streams_.runner(0).input_bytes(options.plan)[0], batch_);
    if (std::ranges::any_of(options.inputs, is_image)) image_input_.emplace(model.plan(options.plan));
    check_outputs();
    for (int i = 0; i < streams_.layout().streams; ++i) lanes_.emplace_back(streams_.runner(i), options.plan);
  }

  StageTimes run() {
    for (Lane& lane : lanes_)
      for (int i = 0; i < options_.warm_up; ++i) infer(0, lane, lane.slots[0]);
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
    Slot(const Runner& runner, size_t plan) : input(runner.input_bytes(plan)[0]), outputs(runner.output_bytes(plan)) {}

    size_t batch = 0;
    std::vector<std::byte> input;
    OutputMemory outputs;
    StageTimes times;
    std::future<void> reading, writing;  // the last members: they end before what they use
  };
  /// One stream's runner, which infers the slots in turn.
  struct Lane {
    Lane(Runner& own, size_t plan) : runner(own), slots{Slot(own, plan), Slot(own, plan)} {}
    Runner& runner;
    std::array<Slot, 2> slots;
  };

  /// Files of a batch.
  size_t first(size_t batch) const { return batch * (batch_ / samples_); }
  size_t end(size_t batch) const { return std::min(first(batch + 1), options_.inputs.size()); }

  void check_outputs() const {
    for (const TensorInfo& output : output_info_) {
      if (output.shape.empty() || output.shape[0] != static_cast<int64_t>(batch_))
        throw Error(ErrorCode::kUnsupported,
                    fmt::format("output '{}' has no part for each sample", one_line(output.name)));
      if (options_.format != DumpFormat::kBin && output.dtype != "float32")
        throw Error(ErrorCode::kUnsupported,
                    fmt::format("output '{}' is {}, which only .bin files hold", one_line(output.name), output.dtype));
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
        slot.writing = std::async(kInBackground, [this, batch, &slot] { write(batch, slot); });
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
    const size_t bytes = slot.input.size() / batch_ * samples_;
    for (size_t i = first(batch); i < end(batch); ++i) {
      const fs::path& path = options_.inputs[i];
      const auto sample = std::span(slot.input).subspan((i - first(batch)) * bytes, bytes);
      auto begin = Clock::now();
      if (is_image(path)) {
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

  /// The smallest plan that takes all samples of a batch: the last may be partial.
  size_t plan_for(size_t batch) const {
    const size_t samples = (end(batch) - first(batch)) * samples_;
    return std::ranges::find_if(plans_, [&](const BatchPlan& plan) { return plan.batch >= samples; })->index;
  }

  void infer(size_t batch, Lane& lane, Slot& slot) {
    const size_t plan = plan_for(batch);
    const auto input = std::span<const std::byte>(slot.input).first(lane.runner.input_bytes(plan)[0]);
    std::vector<std::span<std::byte>> outputs;
    for (size_t k = 0; k < slot.outputs.outputs().size(); ++k)
      outputs.push_back(slot.outputs.outputs()[k].first(lane.runner.output_bytes(plan)[k]));
    const RunTimes times = run_named(options_.inputs[first(batch)], [&] {
      return timed_run(lane.runner, {&input, 1}, outputs, plan);
    });
    slot.times.infer.push_back(times.compute);
    slot.times.to_device.push_back(times.to_device);
    slot.times.from_device.push_back(times.from_device);
  }

  void write(size_t batch, Slot& slot) {
    for (size_t i = first(batch); i < end(batch); ++i) {  // the rest of a partial batch is no sample
      const auto begin = Clock::now();
      for (size_t k = 0; k < output_info_.size(); ++k) {
        const std::span<const std::byte> values = slot.outputs.outputs()[k];
        const size_t bytes = values.size() / batch_ * samples_;
        write_samples(options_.folder / fmt::format("{}_{}", options_.inputs[i].stem().string(),
                                                    k + static_cast<size_t>(options_.first_output)),
                      options_.format, output_info_[k], samples_, values.subspan((i - first(batch)) * bytes, bytes));
      }
      slot.times.post.push_back(milliseconds_since(begin));
    }
  }

  const DataRunOptions& options_;
  std::vector<TensorInfo> output_info_;
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
