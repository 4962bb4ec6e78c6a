// Object detection: from images to detections.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/draw_options.h"
#include "effdet/export.h"
#include "effdet/image.h"
#include "effdet/image_view.h"
#include "effdet/slice_options.h"

namespace effdet {

/// Draws detections on an image: boxes, class names and scores, in a font of the system where there is one.
/// class_names: by class index, UTF-8; may be empty. Labels do not cover each other; one for which there is no place is
/// left out. Throws Error(kUsage) for options out of range.
EFFDET_API RgbImage annotate(RgbImage image, std::span<const Detection> detections,
                             std::span<const std::string> class_names, const DrawOptions& options = {});
/// Class names by class index: those in the model's metadata; otherwise COCO's, for models with 90 or 91 classes;
/// otherwise "class 1", "class 2", ...
EFFDET_API std::vector<std::string> class_names_of(const ModelDescription& description);

/// Converts images to a model's input. Immutable, so several threads may share one object.
class ImageInput {
 public:
  /// Uses the model's first plan. Throws Error(kUnsupported) if the model has no metadata of this library's exporter,
  /// or if its input is not a batch of RGB images.
  EFFDET_API explicit ImageInput(const CompiledModel& model);
  EFFDET_API ~ImageInput();
  EFFDET_API ImageInput(ImageInput&&) noexcept;

  /// Decodes an image, letterboxes it as effdet's data loader does, and writes it as one sample of a batch: normalised
  /// float32 planes [3, height, width]; or uint8 pixels in the format of the model's own preprocessing (AIPP). With
  /// AIPP the letterbox is placed where the model crops; if the model swaps channels, they are swapped here too, so
  /// that the network sees RGB; YUV is JPEG's (BT.601, full range). sample: the memory of one sample, which is the size
  /// of the input divided by the batch size. Throws Error(kUsage) if it has another size, Error(kUnsupported) if the
  /// model pads its input (AIPP), and as read_image().
  EFFDET_API void read(const std::filesystem::path& image, std::span<std::byte> sample) const;
  /// The same for an image in memory; name stands for the image in error messages. Throws as to_rgb().
  EFFDET_API void write(const ImageView& image, std::span<std::byte> sample, std::string_view name = "image") const;
  EFFDET_API void write(const RgbImage& image, std::span<std::byte> sample, std::string_view name = "image") const;

  /// Bytes of all inputs of a batch, one after the other: a model that suppresses boxes itself may also want to know
  /// each image's size (effdet's DetBenchPredict with img_scale and img_size).
  EFFDET_API size_t batch_bytes() const;
  /// Each input in such memory, as Runner::run() takes them. Throws Error(kUsage) for memory of another size.
  EFFDET_API std::vector<std::span<const std::byte>> inputs(std::span<const std::byte> batch) const;
  /// Writes an image as number `index` of the batch, into all inputs. Throws as write(), and Error(kUsage) for memory
  /// of another size and an index that is not in the batch.
  EFFDET_API void write_to_batch(const ImageView& image, std::span<std::byte> batch, size_t index,
                                 std::string_view name = "image") const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Converts a model's outputs to detections, for programs that use Runner directly. Several threads may share one
/// object.
class DetectionDecoder {
 public:
  /// Uses the model's first plan. Throws Error(kUnsupported) if the model is no EfficientDet: its outputs must be the
  /// raw class and box maps of each level, detections (exported with --with-nms, or by effdet's DetBenchPredict), or
  /// the scores and boxes of all anchors (exported by Yet-Another-EfficientDet-Pytorch).
  EFFDET_API explicit DetectionDecoder(const CompiledModel& model);
  EFFDET_API ~DetectionDecoder();
  EFFDET_API DetectionDecoder(DetectionDecoder&&) noexcept;

  /// Detections in one image of a batch, sorted by falling score, in pixels of the original image. outputs: as written
  /// by Runner::run(); sample: index of the image in the batch; width, height: size of the original image in pixels.
  /// Throws Error(kUsage) for outputs of another number or size than the model's, for a sample that is not in the
  /// batch, and for options out of range.
  EFFDET_API std::vector<Detection> decode(std::span<const std::span<std::byte>> outputs, size_t sample, int width,
                                           int height, const DetectOptions& options = {}) const;
  /// Same as Detector::warning(), without the name of an image.
  EFFDET_API std::string warning() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Where an image lies in a model's input: scaled, in the top left corner. A point (x, y) of the image is at
/// (scale * x, scale * y) of the input.
struct Letterbox {
  double scale = 1;
  int width = 0, height = 0;  ///< of the scaled image, in pixels
};

/// Seconds of a call's stages, of all its images together.
struct DetectTimings {
  double preprocess = 0;   ///< decoding of a file, too, which is done while it is scaled
  double inference = 0;    ///< the network
  double postprocess = 0;  ///< from the network's outputs to detections
};

/// Preprocessing, network and postprocessing in one object. Not thread-safe: use one Detector per thread. If the model
/// has several plans, each image uses the plan with the least computation among those whose input is at least as large
/// as the image; if there is none, the plan with the largest input.
class Detector {
 public:
  /// threads: 0 for EFFDET_NUM_THREADS or, if that is not set, the number of cores. Throws Error(kUnsupported) as
  /// ImageInput and DetectionDecoder do, Error(kUsage) for options out of range, Error(kOutOfMemory).
  EFFDET_API explicit Detector(const CompiledModel& model, int threads = 0, const DetectOptions& options = {});
  /// On threads that others use, too: several models in one program.
  EFFDET_API Detector(const CompiledModel& model, const Threads& threads, const DetectOptions& options = {});
  EFFDET_API ~Detector();
  EFFDET_API Detector(Detector&&) noexcept;

  /// Detections sorted by falling score, in pixels of the image; name stands for the image in error messages. options:
  /// of this call, instead of the constructor's; candidates without suppression are what iou_threshold = 1 gives, which
  /// no overlap exceeds. Throws Error(kUsage) as to_rgb() and for options out of range, Error(kBadInput) for an image
  /// that is too narrow to be letterboxed.
  EFFDET_API std::vector<Detection> detect(const ImageView& image, std::string_view name = "image");
  EFFDET_API std::vector<Detection> detect(const ImageView& image, const DetectOptions& options,
                                           std::string_view name = "image");
  EFFDET_API std::vector<Detection> detect(const RgbImage& image, std::string_view name = "image");
  /// The same for an image file. Throws as read_image().
  EFFDET_API std::vector<Detection> detect(const std::filesystem::path& image);
  EFFDET_API std::vector<Detection> detect(const std::filesystem::path& image, const DetectOptions& options);
  /// Detections in each of the images, which need not have the same size: as many at a time as the model's batch has,
  /// the last of them with the rest. In messages images have their index. Throws as detect().
  EFFDET_API std::vector<std::vector<Detection>> detect_batch(std::span<const ImageView> images);
  EFFDET_API std::vector<std::vector<Detection>> detect_batch(std::span<const ImageView> images,
                                                              const DetectOptions& options);

  /// Detections in an image and in squares of it, merged, for small objects in large images; as detect() where it is no
  /// larger than a square. Throws as detect(), and Error(kUsage) for slices out of range and for NV12, which to_rgb()
  /// converts.
  EFFDET_API std::vector<Detection> detect_sliced(const ImageView& image, const SliceOptions& slices,
                                                  const DetectOptions& options, std::string_view name = "image");

  /// Those of the constructor.
  EFFDET_API const DetectOptions& options() const;
  /// How an image of this size, in pixels, lies in the input of the plan that it takes. Throws as detect().
  EFFDET_API Letterbox letterbox(int width, int height) const;
  /// Of the last call.
  EFFDET_API DetectTimings timings() const;
  /// Describes the model's first plan.
  EFFDET_API const ModelDescription& description() const;
  /// Empty, or one line: for how many images so far the model's outputs contained NaN or infinity, and for which one
  /// first.
  EFFDET_API std::string warning() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace effdet
