// From pictures to detections.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/export.h"
#include "effdet/image.h"

namespace effdet {

/// A picture with the detections drawn: boxes, class names and scores. Names may be empty.
EFFDET_API RgbImage annotate(RgbImage image, std::span<const Detection> detections,
                             std::span<const std::string> class_names);
/// One name a class, by class index: the model's own; else COCO's for models of 90 or 91 classes; else "class 1",
/// "class 2", ...
EFFDET_API std::vector<std::string> class_names_of(const ModelDescription& description);
/// Pictures as a model's input. Constant, so that threads may share it.
class PictureInput {
 public:
  /// Throws Error(kUnsupported) for a model that is no EfficientDet.
  EFFDET_API explicit PictureInput(const CompiledModel& model);
  EFFDET_API ~PictureInput();
  EFFDET_API PictureInput(PictureInput&&) noexcept;

  /// Letterboxes the picture as effdet's loader does while it decodes it, and writes it as one sample of the model's
  /// batch: normalised float planes, or bytes where the model has preprocessing of its own (AIPP). Then the letterbox
  /// lies where the model crops, swaps of channels are undone, and luma and chroma are JPEG's. Throws Error(kUsage)
  /// where sample has another size than a sample, and what decoding throws.
  EFFDET_API void read(const std::filesystem::path& picture, std::span<std::byte> sample) const;
  /// The same from pixels; name stands for the picture in messages.
  EFFDET_API void write(const RgbImage& picture, std::span<std::byte> sample, std::string_view name = "picture") const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A model's outputs as detections, for callers that have Runners of their own. Constant, so that threads may share it.
class DetectionDecoder {
 public:
  /// Throws Error(kUnsupported) for a model that is no EfficientDet, with raw head outputs or detections (--with-nms).
  EFFDET_API explicit DetectionDecoder(const CompiledModel& model);
  EFFDET_API ~DetectionDecoder();
  EFFDET_API DetectionDecoder(DetectionDecoder&&) noexcept;

  /// Detections of picture number `sample` of the batch, which has the given sides, from what Runner::run() wrote; in
  /// order of falling score, in pixels of the picture. Throws Error(kUsage) for other outputs than the model's, and for
  /// options out of range.
  EFFDET_API std::vector<Detection> decode(std::span<const std::span<std::byte>> outputs, size_t sample, int width,
                                           int height, const DetectOptions& options = {}) const;
  /// As Detector::warning(), without names.
  EFFDET_API std::string warning() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Preprocessing, network and postprocessing in one object. One thread at a time may use it. Of a model with several
/// plans each picture gets the one with the least work that does not shrink it, or else the largest input.
class Detector {
 public:
  /// Throws Error(kUnsupported) for a model that is no EfficientDet, with raw head outputs or detections (--with-nms),
  /// Error(kUsage) for options out of range.
  EFFDET_API explicit Detector(const CompiledModel& model, int threads = 0, const DetectOptions& options = {});
  EFFDET_API ~Detector();
  EFFDET_API Detector(Detector&&) noexcept;

  /// Detections in order of falling score, in pixels of the image. name stands for the picture in messages.
  EFFDET_API std::vector<Detection> detect(const RgbImage& image, std::string_view name = "picture");
  EFFDET_API std::vector<Detection> detect(const std::filesystem::path& image);
  /// Of the model's first plan.
  EFFDET_API const ModelDescription& description() const;
  /// "", or a line: for how many of the pictures so far the model's outputs held NaN, and for which first.
  EFFDET_API std::string warning() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
