// A compiled model as a detector: how its input is made and what its outputs mean.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "detection/head_decoder.h"
#include "detection/model_input.h"
#include "runtime/engine.h"

namespace effdet::detection {

/// Memory for all outputs of one run.
class OutputBuffers {
 public:
  explicit OutputBuffers(const runtime::Engine& engine);
  OutputBuffers(OutputBuffers&&) = default;  // a copy would point to the memory of the original

  /// For Session::run().
  std::span<std::byte* const> pointers() const { return pointers_; }
  /// The part of each output that belongs to one image of the batch.
  std::vector<std::span<const float>> sample(size_t index, size_t batch) const;

 private:
  std::vector<std::shared_ptr<std::byte>> memory_;
  std::vector<std::span<const float>> values_;
  std::vector<std::byte*> pointers_;
};

/// Constant, so that threads may share it.
class DetectionModel {
 public:
  /// Throws Error(kUnsupported) for a program without the exporter's metadata, or with other inputs and outputs than an
  /// EfficientDet has, be it with raw heads or with rows of detections; Error(kBadInput) for metadata that make no
  /// sense.
  explicit DetectionModel(std::shared_ptr<const runtime::Engine> engine);

  const std::shared_ptr<const runtime::Engine>& engine() const { return engine_; }
  const model::ModelInfo& info() const { return info_; }
  const ModelInput& input() const { return input_; }
  size_t batch() const { return input_.batch(); }

  /// Detections of image number sample of the batch, which has the given size in pixels. faults, where it is not null,
  /// tells what makes no sense.
  std::vector<Detection> detect(const OutputBuffers& outputs, size_t sample, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults = nullptr) const;
  /// The same from each output's part of the image.
  std::vector<Detection> detect(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                const DetectOptions& options, eval::DetectFaults* faults = nullptr) const;

 private:
  std::shared_ptr<const runtime::Engine> engine_;
  model::ModelInfo info_;
  ModelInput input_;
  HeadDecoder decoder_;
  std::optional<eval::LevelLayout> layout_;  ///< nothing where the model detects itself
};

}  // namespace effdet::detection
