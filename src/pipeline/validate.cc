// Images to COCO numbers without files between: images are loaded and outputs decoded in the background while the
// network runs.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "pipeline/coco_folder.h"
#include "pipeline/dataset.h"
#include "pipeline/detection_model.h"
#include "pipeline/evaluation.h"
#include "pipeline/fault_log.h"
#include "pipeline/task_queue.h"
#include "runtime/streams.h"
#include "vision/draw.h"
#include "vision/encode.h"
#include "vision/memory_gate.h"

namespace effdet::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

/// Batches that are loaded ahead, the one in the network included; and batches of outputs, likewise. One more input
/// than needed evens out images that take longer to decode than the network takes.
constexpr size_t kInputs = 3, kOutputs = 2;

/// Loading and decoding an image take some tenth of what the network takes with one thread.
int background_threads(int network_threads) { return std::clamp(network_threads / 4, 1, 8); }

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Waits for all tasks; rethrows the first error.
void finish(std::vector<std::future<void>>& tasks) {
  for (auto& task : tasks) task.get();
  tasks.clear();
}

/// Draws detections with the data set's category names and writes them as JPEG files.
class PictureWriter {
 public:
  PictureWriter(const CocoDataset& dataset, const ValidateOptions& options)
      : folder_(options.pictures), threshold_(options.picture_threshold) {
    if (!enabled()) return;
    make_folder(folder_);
    for (const CocoCategory& category : dataset.categories) names_.emplace(category.id, category.name);
  }

  bool enabled() const { return !folder_.empty(); }

  /// Decodes the picture once more, since pictures that wait for their detections could take any memory.
  void write(const CocoImage& image, RowSource& rows, std::span<const Detection> detections) {
    std::vector<LabelledBox> boxes;
    for (const Detection& found : detections)
      if (found.score >= threshold_)
        boxes.push_back({found.x1, found.y1, found.x2, found.y2,
                         fmt::format("{} {:.2f}", name_of(found.category), found.score), found.category});
    std::reverse(boxes.begin(), boxes.end());  // the best lie on top
    const MemoryGate::Hold memory = gate_.enter(uint64_t{3} * rows.size().width * rows.size().height);
    Image pixels = whole_image(rows);
    draw_detections(pixels, boxes);
    write_file(folder_ / (stem_of(image) + ".jpg"), encode_jpeg(pixels), /*sync=*/false);
  }

 private:
  std::string name_of(int category) const {
    const auto name = names_.find(category);
    return name == names_.end() ? fmt::format("class {}", category) : name->second;
  }

  std::filesystem::path folder_;
  MemoryGate gate_;
  float threshold_;
  std::unordered_map<int64_t, std::string> names_;
};

/// One run over a data set. Each stream has a session and rings of buffers, and claims batches as it begins to load
/// them.
class Validation {
 public:
  Validation(const CocoFolder& source, const DetectionModel& model, const ValidateOptions& options, int threads)
      : source_(source),
        model_(model),
        options_(options),
        images_(source.images()),
        pictures_(source.dataset(), options),
        queue_(background_threads(threads)) {
    if (options.limit != 0 && options.limit < images_.size()) images_.resize(options.limit);
    if (pictures_.enabled()) source.require_unique_stems();
    detections_.resize(images_.size());
    for (int i = 0; i < options.streams; ++i) streams_.emplace_back(model, threads_a_stream(threads, options.streams));
  }

  ValidateReport run() {
    const auto start = Clock::now();
    for (size_t i = 0; i < kInputs; ++i)
      for (Stream& stream : streams_) start_loading(stream.inputs[i]);
    run_streams(streams_.size(), streams_.size(), [this](size_t stream, size_t) { run_stream(streams_[stream]); });
    ValidateReport report{.evaluation = {}, .seconds = seconds_since(start)};
    for (const Stream& stream : streams_)
      report.inference_seconds += stream.inference_seconds / static_cast<double>(streams_.size());
    report.warning = faults_.text();
    report.evaluation = evaluate_detections(source_.dataset(), images_, detections_, options_.results);
    return report;
  }

 private:
  struct Input {
    size_t batch = 0;
    std::vector<std::byte> samples;
    std::vector<std::future<void>> loaded;
  };
  struct Output {
    explicit Output(const Engine& engine) : heads(engine) {}
    OutputBuffers heads;
    std::vector<std::future<void>> decoded;
  };
  struct Stream {
    Stream(const DetectionModel& model, int threads) : session(model.engine(), threads) {
      for (Input& input : inputs) input.samples.resize(model.batch() * model.input().sample_bytes());
      for (size_t i = 0; i < kOutputs; ++i) outputs.emplace_back(*model.engine());
    }
    Session session;
    std::array<Input, kInputs> inputs;
    std::vector<Output> outputs;
    double inference_seconds = 0;
  };

  size_t first(size_t batch) const { return batch * model_.batch(); }
  /// One past the last image: the last batch may be partial, and what the network makes of its rest is not looked at.
  size_t end(size_t batch) const { return std::min(first(batch + 1), images_.size()); }

  void run_stream(Stream& stream) try {
    for (size_t turn = 0;; ++turn) {
      Input& input = stream.inputs[turn % kInputs];
      Output& output = stream.outputs[turn % kOutputs];
      if (first(input.batch) >= images_.size()) break;
      finish(input.loaded);
      finish(output.decoded);
      infer(stream, input, output);
      start_decoding(input.batch, output);
      start_loading(input);
    }
    for (Output& output : stream.outputs) finish(output.decoded);
  } catch (...) {
    next_batch_ = images_.size();  // the other streams need not go on
    throw;
  }

  /// Claims the next batch.
  void start_loading(Input& input) {
    input.batch = next_batch_++;
    const size_t bytes = model_.input().sample_bytes();
    for (size_t i = first(input.batch); i < end(input.batch); ++i) {
      const auto target = std::span(input.samples).subspan((i - first(input.batch)) * bytes, bytes);
      input.loaded.push_back(queue_.submit([this, i, target] { load(i, target); }));
    }
  }

  void start_decoding(size_t batch, Output& output) {
    for (size_t i = first(batch); i < end(batch); ++i)
      output.decoded.push_back(queue_.submit([this, i, batch, &output] { decode(i, output.heads, i - first(batch)); }));
  }

  void load(size_t i, std::span<std::byte> sample) { model_.input().write(*source_.open(*images_[i]), sample); }

  void decode(size_t i, const OutputBuffers& heads, size_t sample) {
    const ImageSize size{images_[i]->width, images_[i]->height};
    DetectFaults faults;
    detections_[i] = model_.detect(heads, sample, size, options_.detect, &faults);
    faults_.add(images_[i]->file_name, faults);
    if (pictures_.enabled()) pictures_.write(*images_[i], *source_.open(*images_[i]), detections_[i]);
  }

  void infer(Stream& stream, const Input& input, Output& output) {
    const auto start = Clock::now();
    const std::byte* samples = input.samples.data();
    stream.session.run({&samples, 1}, output.heads.pointers());
    const double seconds = seconds_since(start);
    stream.inference_seconds += seconds;
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    for (size_t i = first(input.batch); i < end(input.batch); ++i)
      options_.progress(++done_, images_.size(), seconds / static_cast<double>(model_.batch()));
  }

  const CocoFolder& source_;
  const DetectionModel& model_;
  const ValidateOptions& options_;
  std::vector<const CocoImage*> images_;
  PictureWriter pictures_;
  std::vector<std::vector<Detection>> detections_;  ///< by image
  FaultLog faults_;
  std::deque<Stream> streams_;  // stay where they are: tasks refer to them
  std::atomic<size_t> next_batch_{0};
  std::mutex progress_mutex_;
  size_t done_ = 0;
  TaskQueue queue_;  ///< the last member, so that tasks have ended before the buffers go
};

}  // namespace

ValidateReport validate_dataset(const std::filesystem::path& root, std::shared_ptr<const Engine> engine,
                                const ValidateOptions& options, int threads) {
  if (options.streams < 1) fail(ErrorCode::kUsage, "{} streams: there must be one at least", options.streams);
  const DetectionModel model(std::move(engine));
  const CocoFolder source(root);
  return Validation(source, model, options, threads > 0 ? threads : default_thread_count()).run();
}

}  // namespace effdet::pipeline
