// Images of any size through the plans of one model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "detection/batch_run.h"
#include "detection/detection_model.h"
#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "vision/preprocess.h"
#include "vision/row_source.h"

namespace effdet::detection {

/// All but infer(), decode() and run() may be called by any thread, also while another one runs.
class ImageDetector {
 public:
  /// batch: only plans for so many images at a time are taken; 0: any. Throws as DetectionModel and
  /// Session do; Error(kUsage) for options out of range, and where no plan has that batch.
  ImageDetector(const CompiledModel& model, const Threads& threads, const DetectOptions& options, size_t batch = 0);
  ImageDetector(const CompiledModel& model, int threads, const DetectOptions& options, size_t batch = 0)
      : ImageDetector(model, Threads(threads), options, batch) {}

  const DetectOptions& options() const { return options_; }
  /// Of the first plan.
  const ModelDescription& description() const { return description_; }
  /// Of an input that takes what any plan does with one image; the rest of a batch, after it, is not looked at.
  size_t input_bytes() const { return input_bytes_; }
  /// The same of one plan.
  size_t input_bytes(size_t plan) const { return plans_[plan].model.input().batch_bytes(); }
  /// The plan with the least work that does not shrink the image; or else the one with the largest input.
  size_t plan_for(vision::ImageSize image) const;
  /// Images that the plan takes at a time.
  size_t batch(size_t plan) const { return plans_[plan].model.batch(); }
  /// The most of any plan that is taken.
  size_t largest_batch() const;
  /// Of the plan's input and an image of that size.
  vision::Letterbox letterbox(size_t plan, vision::ImageSize image) const;
  /// Writes the image where the plan takes the image number `sample` of its batch. Throws as ModelInput::prepare().
  InputImage write_input(size_t plan, vision::RowSource& image, std::span<std::byte> input, size_t sample = 0) const;

  /// Runs the plan on an input with these images, for decode(). Precondition: options that check_options() has passed.
  void infer(size_t plan, std::span<const std::byte> input, std::span<const InputImage> images,
             const DetectOptions& options);
  /// Detections in the image number `sample` of the last input, which has that size, sorted by falling score; faults,
  /// where it is not null, tells what of the outputs makes no sense. options: of infer().
  std::vector<Detection> decode(size_t plan, size_t sample, vision::ImageSize image, const DetectOptions& options,
                                eval::DetectFaults* faults) const;
  /// Both, for the first image, with the options of the detector.
  std::vector<Detection> run(size_t plan, std::span<const std::byte> input, const InputImage& image,
                             eval::DetectFaults* faults);

 private:
  /// With what a run needs, for which there is memory once it was chosen.
  struct Plan {
    DetectionModel model;
    std::optional<BatchRun> runs;
    std::optional<BatchOutput> output;

    size_t pixels() const;
  };
  static std::vector<Plan> plans_of(const CompiledModel& model);

  DetectOptions options_;
  ModelDescription description_;
  std::vector<Plan> plans_;
  std::vector<size_t> taken_;  ///< plans that images take
  size_t input_bytes_ = 0;
  runtime::Session session_;
};

}  // namespace effdet::detection
