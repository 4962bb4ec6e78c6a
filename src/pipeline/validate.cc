// Images to COCO numbers without files between: images are loaded and outputs decoded in the background while the
// network runs.
#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "pipeline/coco_folder.h"
#include "pipeline/dataset.h"
#include "pipeline/detection_model.h"
#include "pipeline/evaluation.h"
#include "pipeline/preprocessing.h"
#include "pipeline/task_queue.h"
#include "vision/draw.h"
#include "vision/encode.h"

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

  void write(const CocoImage& image, Image pixels, std::span<const Detection> detections) const {
    std::vector<LabelledBox> boxes;
    for (const Detection& found : detections)
      if (found.score >= threshold_)
        boxes.push_back({found.x1, found.y1, found.x2, found.y2,
                         fmt::format("{} {:.2f}", name_of(found.category), found.score), found.category});
    std::reverse(boxes.begin(), boxes.end());  // the best lie on top
    draw_detections(pixels, boxes);
    write_file(folder_ / (stem_of(image) + ".jpg"), encode_jpeg(pixels), /*sync=*/false);
  }

 private:
  std::string name_of(int category) const {
    const auto name = names_.find(category);
    return name == names_.end() ? fmt::format("class {}", category) : name->second;
  }

  std::filesystem::path folder_;
  float threshold_;
  std::unordered_map<int64_t, std::string> names_;
};

/// One run over a data set. Buffers are rings: batch b uses input b % kInputs and output b % kOutputs.
class Validation {
 public:
  Validation(const CocoFolder& source, const DetectionModel& model, const ValidateOptions& options, int threads)
      : source_(source),
        model_(model),
        options_(options),
        images_(source.images()),
        pictures_(source.dataset(), options),
        session_(model.engine(), threads),
        queue_(background_threads(threads)) {
    if (options.limit != 0 && options.limit < images_.size()) images_.resize(options.limit);
    if (pictures_.enabled()) source.require_unique_stems();
    detections_.resize(images_.size());
    pixels_.resize(images_.size());
    const size_t floats = model.batch() * tensor_size(model.preprocessing());
    for (Input& input : inputs_) input.tensor.resize(floats);
    for (size_t i = 0; i < kOutputs; ++i) outputs_.push_back({OutputBuffers(*model.engine()), {}});
  }

  ValidateReport run() {
    const auto start = Clock::now();
    for (size_t batch = 0; batch < kInputs; ++batch) start_loading(batch);
    for (size_t batch = 0; first(batch) < images_.size(); ++batch) {
      finish(inputs_[batch % kInputs].loaded);
      finish(outputs_[batch % kOutputs].decoded);
      infer(batch);
      start_decoding(batch);
      start_loading(batch + kInputs);
    }
    for (Output& output : outputs_) finish(output.decoded);
    ValidateReport report{.evaluation = {}, .seconds = seconds_since(start), .inference_seconds = inference_seconds_};
    report.evaluation = evaluate_detections(source_.dataset(), images_, detections_, options_.results);
    return report;
  }

 private:
  struct Input {
    std::vector<float> tensor;
    std::vector<std::future<void>> loaded;
  };
  struct Output {
    OutputBuffers heads;
    std::vector<std::future<void>> decoded;
  };

  size_t first(size_t batch) const { return batch * model_.batch(); }
  /// One past the last image: the last batch may be partial, and what the network makes of its rest is not looked at.
  size_t end(size_t batch) const { return std::min(first(batch + 1), images_.size()); }

  void start_loading(size_t batch) {
    Input& input = inputs_[batch % kInputs];
    const size_t floats = tensor_size(model_.preprocessing());
    for (size_t i = first(batch); i < end(batch); ++i) {
      const auto target = std::span(input.tensor).subspan((i - first(batch)) * floats, floats);
      input.loaded.push_back(queue_.submit([this, i, target] { load(i, target); }));
    }
  }

  void start_decoding(size_t batch) {
    Output& output = outputs_[batch % kOutputs];
    for (size_t i = first(batch); i < end(batch); ++i)
      output.decoded.push_back(queue_.submit([this, i, batch, &output] { decode(i, output.heads, i - first(batch)); }));
  }

  void load(size_t i, std::span<float> tensor) {
    Image image = source_.load(*images_[i]);
    to_tensor(image, source_.path_of(*images_[i]).string(), model_.preprocessing(), tensor);
    if (pictures_.enabled()) pixels_[i] = std::move(image);
  }

  void decode(size_t i, const OutputBuffers& heads, size_t sample) {
    const ImageSize size{images_[i]->width, images_[i]->height};
    detections_[i] = model_.detect(heads, sample, size, options_.detect);
    if (pictures_.enabled()) pictures_.write(*images_[i], std::move(pixels_[i]), detections_[i]);
  }

  void infer(size_t batch) {
    const auto start = Clock::now();
    const auto* input = reinterpret_cast<const std::byte*>(inputs_[batch % kInputs].tensor.data());
    session_.run({&input, 1}, outputs_[batch % kOutputs].heads.pointers());
    const double seconds = seconds_since(start);
    inference_seconds_ += seconds;
    if (!options_.progress) return;
    for (size_t i = first(batch); i < end(batch); ++i)
      options_.progress(i + 1, images_.size(), seconds / static_cast<double>(model_.batch()));
  }

  const CocoFolder& source_;
  const DetectionModel& model_;
  const ValidateOptions& options_;
  std::vector<const CocoImage*> images_;
  PictureWriter pictures_;
  Session session_;
  double inference_seconds_ = 0;
  std::vector<std::vector<Detection>> detections_;  ///< by image
  std::vector<Image> pixels_;                       ///< by image, from loading to drawing
  std::array<Input, kInputs> inputs_;
  std::vector<Output> outputs_;
  TaskQueue queue_;  ///< the last member, so that tasks have ended before the buffers go
};

}  // namespace

ValidateReport validate_dataset(const std::filesystem::path& root, std::shared_ptr<const Engine> engine,
                                const ValidateOptions& options, int threads) {
  const DetectionModel model(std::move(engine));
  const CocoFolder source(root);
  return Validation(source, model, options, threads > 0 ? threads : default_thread_count()).run();
}

}  // namespace effdet::pipeline
