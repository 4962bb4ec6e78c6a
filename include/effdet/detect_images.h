// Detection in many images: a run that keeps what it has done, goes on, and can be divided among processes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/dataset.h"
#include "effdet/detection.h"
#include "effdet/draw_options.h"
#include "effdet/export.h"
#include "effdet/image.h"
#include "effdet/image_failure.h"
#include "effdet/listed_image.h"
#include "effdet/slice_options.h"

namespace effdet {

/// An image with what was found in it.
struct DetectedImage {
  std::string image;    ///< ListedImage::name()
  std::string picture;  ///< path of the file that it is drawn to; empty: none
  int width = 0, height = 0;
  std::vector<Detection> detections;  ///< by falling score
  std::string key = {};  ///< of a member of a tar file: WebDataset's, its name up to the first dot of the last part
  int64_t frame = -1;    ///< of a video: its number, from 0
  double seconds = 0;    ///< of a video: its time
};

struct DetectImagesOptions {
  DetectOptions detect;
  SliceOptions slices = {};
  /// By class index; empty: those of class_names_of().
  std::vector<std::string> class_names = {};
  /// File for what was found, or, of a format with a file for each image, their folder; empty: none.
  std::filesystem::path results = {};
  /// How it is written, a name of result_formats(). "json": a list with an object for each image, which has "image",
  /// "width", "height", "detections", where it was drawn "picture", and in a tar file "key". A detection has
  /// "category_id", "category", "score" and "bbox" (left, top, width, height in pixels). Bytes that are no UTF-8 are
  /// replaced.
  std::string format = "json";
  std::filesystem::path pictures = {};  ///< folder for the images with the detections drawn; empty: none
  DrawOptions draw = {};                ///< how they are drawn
  /// Folder for what was found, cut out of the images: <class>/<image>_<number>.jpg. Empty: none.
  std::filesystem::path crops = {};
  /// Images are turned upright by their EXIF orientation, and what is found is in pixels of the upright image. effdet
  /// does not do so where it evaluates, since annotations are of images as they are stored.
  bool upright = true;
  /// Inferences at once, among which the threads are divided; at least 1.
  int streams = 1;
  /// Only the model's plans for so many images at a time are taken; 0: any. Images that take the same plan share its
  /// batches.
  int batch = 0;
  /// Images in the web may lie on this machine or in private networks.
  bool private_addresses = false;
  /// Only this part of the images. What is found is what the journal keeps; leave `results` empty.
  Shard shard = {};
  /// As ValidateOptions::journal, resume and strict. A picture that is no longer as it was written is made again.
  std::filesystem::path journal = {};
  bool resume = false;
  bool strict = false;
  /// If set: once it is true, no further image is started; the report covers those that are finished.
  const std::atomic<bool>* stop = nullptr;
  OnNote on_note = {};
  OnFailure on_failure = {};
  /// If set, called with each image as soon as it and all before it in the list are done, also those of an earlier run.
  /// One thread at a time calls it.
  std::function<void(const DetectedImage&)> on_found = {};
  /// If set, called before the first image: images that an earlier run did, that are to be run with these, and of all
  /// shards together.
  std::function<void(size_t done, size_t images, size_t run_images)> on_start = {};
  Progress progress = {};
};
struct DetectImagesReport {
  std::vector<DetectedImage> images;  ///< that could be used and were finished before a stop, in order of the list
  size_t total = 0;                   ///< number of images that were to be run
  std::vector<ImageFailure> failures;
  std::vector<std::string> class_names;  ///< by class index
  std::string warning;                   ///< as Detector::warning()
};

/// Finds the objects in images. Decoding, inference, drawing and writing overlap. The plan of the model is chosen for
/// each image as Detector does; what is found does not depend on streams, batches and threads. threads: 0 for
/// EFFDET_NUM_THREADS or all cores. Images that cannot be used are skipped and reported. If the run ends with an error,
/// such as a full disk, the results of finished images are still written, and the journal stays. Throws the first
/// image's error if no image could be used; before the first image, Error(kUsage) for no images and options out of
/// range, Error(kBadInput) for a journal that is damaged or of another run, and as Detector.
EFFDET_API DetectImagesReport detect_images(std::span<const ListedImage> images, const CompiledModel& model,
                                            const DetectImagesOptions& options, int threads = 0);

/// Writes what was found, cut out of its image, as DetectImagesOptions::crops has it: <class>/<stem>_<number>.jpg in
/// the folder, numbers from 1. Throws Error(kIo).
EFFDET_API void write_crops(const std::filesystem::path& folder, const std::string& stem, const RgbImage& image,
                            std::span<const Detection> detections, std::span<const std::string> class_names);

/// Joins the shards of a list: what was found is that of one run over all images, to the bit, and goes to the file
/// results, unless that is empty, in the format. Neither images nor pictures are needed. Throws as merge_shards().
EFFDET_API DetectImagesReport merge_detections(const std::vector<std::filesystem::path>& shards,
                                               const std::filesystem::path& results, const OnFailure& on_failure = {},
                                               const std::string& format = "json");

/// Whether a shard's file is one of detect_images(), for merge_detections(), and not one of validate_dataset(). Throws
/// Error(kBadInput) for a file that is none of both, Error(kUnsupported) for one of another version, Error(kIo).
EFFDET_API bool is_shard_of_list(const std::filesystem::path& shard);

/// The first of these images in which something was looked for, at most kSheetImages, side by side, with their
/// detections drawn on the small images; they are read once more, as the options say. list: the run's, of which images
/// are some, in order. Throws as read_image(), and Error(kUsage) for no images.
constexpr size_t kSheetImages = 48;
EFFDET_API RgbImage contact_sheet_of(std::span<const ListedImage> list, std::span<const DetectedImage> images,
                                     std::span<const std::string> class_names, const DetectImagesOptions& options = {});

}  // namespace effdet
