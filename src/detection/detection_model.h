// A compiled model as a detector: how its input is made and what its outputs mean.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "detection/decoder.h"
#include "detection/model_input.h"
#include "detection/outputs.h"
#include "runtime/engine.h"

namespace effdet::detection {

/// Constant, so that threads may share it.
class DetectionModel {
 public:
  /// Throws Error(kUnsupported) for a program without the exporter's metadata, or with other inputs and outputs than an
  /// EfficientDet has, be it with raw heads or with rows of detections; Error(kBadInput) for metadata that make no
  /// sense.
  explicit DetectionModel(std::shared_ptr<const runtime::Engine> engine);
  /// The same where the metadata were read before.
  DetectionModel(std::shared_ptr<const runtime::Engine> engine, model::ModelInfo info);

  const std::shared_ptr<const runtime::Engine>& engine() const { return engine_; }
  const model::ModelInfo& info() const { return info_; }
  const ModelInput& input() const { return input_; }
  size_t batch() const { return input_.batch(); }

  const Decoder& decoder() const { return *decoder_; }

  /// Detections in image number `sample` of the batch, which has the given size in pixels. outputs: what a run wrote,
  /// each output with all images. faults, where it is not null, tells what makes no sense.
  std::vector<Detection> detect(std::span<const std::span<const float>> outputs, size_t sample, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults = nullptr) const;

 private:
  std::shared_ptr<const runtime::Engine> engine_;
  model::ModelInfo info_;
  ModelInput input_;
  std::unique_ptr<const Decoder> decoder_;
};

}  // namespace effdet::detection
