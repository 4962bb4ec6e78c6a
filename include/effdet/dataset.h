// COCO data sets: synthetic ones, preprocessing to files, evaluation of dumped outputs, and the fused path from images
// to mAP.
//
// A data set's root folder holds its annotations and images as dataset_layouts() says.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "effdet/anchor_options.h"
#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/export.h"
#include "effdet/image_failure.h"

namespace effdet {

/// Called after each item where set; may come from another thread, one call at a time.
using Progress = std::function<void(size_t done, size_t total)>;

/// Called with a line on what was left out of a data set, or done about it, as soon as it is known.
using OnNote = std::function<void(const std::string&)>;

/// What the root folder of a data set holds, a format after the other: "annotations/ and images/".
EFFDET_API std::string dataset_layouts();
/// Folder of the images of the data set in that root folder; need not exist.
EFFDET_API std::filesystem::path image_folder(const std::filesystem::path& root);

struct SyntheticScenes {
  int images = 24;
  uint64_t seed = 1;
  int first_id = 1;
  int min_side = 192, max_side = 320;  ///< of the images, in pixels
};
/// Writes a data set of coloured shapes with exact boxes; what an image shows depends on the seed, its id and the sides
/// alone.
EFFDET_API void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options,
                             const Progress& progress = {});

/// How images become a model's input.
struct InputOptions {
  std::string model = "tf_efficientdet_d7";  ///< gives mean, deviation, fill and, where height is 0, the size
  int height = 0, width = 0;
  /// Of the model itself, exported or compiled; where it is not empty it counts instead of the variant's defaults.
  std::map<std::string, std::string> metadata = {};
};

struct PreprocessReport {
  size_t written = 0;
  std::vector<std::string> skipped;  ///< images with a side under 32
  std::vector<PictureFailure> failures;
  std::vector<std::string> notes;  ///< what was left out of the annotations, and what EXIF orientations meant
  double seconds = 0;
};
/// Writes FOLDER/<stem>.bin for every image of the data set: raw little-endian float32 NCHW, letterboxed and normalised
/// as effdet does. Makes the folder. A file appears whole or not at all. Throws where no image could be used.
EFFDET_API PreprocessReport preprocess_dataset(const std::filesystem::path& root, const std::filesystem::path& folder,
                                               const InputOptions& options, int threads = 0,
                                               const Progress& progress = {}, const OnFailure& on_failure = {});

/// Writes the list that benchmark reads: "index path width height" for every *.bin of the folder but hidden ones,
/// sorted by name, with the given size. Paths begin with the folder as given. Returns how many.
EFFDET_API size_t write_bin_info(const std::filesystem::path& folder, const std::filesystem::path& list, int width,
                                 int height);
/// The same for JPEG files (.jpg, .jpeg, in any case), each with its own size from its header. Those without a header
/// that can be read are left out. Throws where none is left.
EFFDET_API size_t write_image_info(const std::filesystem::path& folder, const std::filesystem::path& list,
                                   const OnFailure& on_failure = {});

/// One line of such a list.
struct InfoEntry {
  int64_t index = 0;
  std::string path;
  int width = 0, height = 0;
};
/// Throws Error(kBadInput) with the line's number for a malformed line, a repeated index or a size below 1.
EFFDET_API std::vector<InfoEntry> read_info(const std::filesystem::path& list);

struct Evaluation {
  std::array<double, 12> stats{};    ///< pycocotools' order; -1 where there is nothing to find
  std::vector<std::string> summary;  ///< the twelve lines that pycocotools prints
  size_t images = 0, detections = 0;
  size_t all_images = 0;  ///< of the annotation file, whether or not they were evaluated
  struct CategoryAp {
    int64_t id;
    std::string name;
    double ap;
  };
  std::vector<CategoryAp> categories;
  std::vector<std::string> notes;  ///< what was left out of the data set and why, a line each
};

/// How the classes of a model and the categories of a data set belong together.
enum class ClassMapping {
  /// By name where the names agree; else by id, as effdet trains (category id = class + 1), where the ids fit; else in
  /// order, with a note, where there are as many categories as classes; else an error.
  kAuto,
  kIds,    ///< category id = class + 1
  kNames,  ///< categories whose name no class has are not found
  kOrder,  ///< class 0 is the category with the lowest id
};
struct ClassOptions {
  ClassMapping mapping = ClassMapping::kAuto;
  std::vector<std::string> names;  ///< of the classes; empty: the model's own, or COCO's where the model has as many
};

struct PostprocessOptions {
  InputOptions input;   ///< the model that made the dump
  int num_classes = 0;  ///< 0: as the files' sizes say
  AnchorOptions anchors;
  DetectOptions detect;
  std::filesystem::path results = {};  ///< COCO results are written here; empty: nowhere
  ClassOptions classes = {};
  OnNote on_note = {};
};
/// Evaluates a folder of dumped outputs (<stem>_<k>.bin, class and box files of every level in either historic order;
/// or .npy, or .txt) against the data set, on the images that were dumped.
EFFDET_API Evaluation postprocess_dumps(const std::filesystem::path& root, const std::filesystem::path& dumps,
                                        const PostprocessOptions& options, int threads = 0,
                                        const Progress& progress = {});

struct EvaluateOptions {
  /// Only the images that the file has results of, as effdet's own evaluation does, and not all images of the
  /// annotation file, as pycocotools does: an image in which nothing was found then does not count.
  bool only_images_with_results = false;
  /// Refuse what is otherwise left out with a note: boxes with NaN, infinity or a negative side, annotations of images
  /// or categories that are not listed.
  bool strict = false;
};
/// Evaluates a COCO results file as pycocotools does. Of images only the ids count. Throws Error(kUsage) where the
/// files are the other way round, Error(kBadInput) for malformed files and for results of images that the annotation
/// file does not have.
EFFDET_API Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                                       const EvaluateOptions& options = {});

struct ValidateOptions {
  DetectOptions detect;
  std::filesystem::path results;   ///< COCO results are written here; empty: nowhere
  size_t limit = 0;                ///< only the first so many images; 0: all
  std::filesystem::path pictures;  ///< annotated pictures are written here; empty: nowhere
  float picture_threshold = 0.3f;  ///< score from which boxes are drawn
  int streams = 1;                 ///< batches in the network at once; they share the threads
  ClassOptions classes = {};
  /// Once it is true no further image is begun; the report is of those that are finished.
  const std::atomic<bool>* stop = nullptr;
  OnNote on_note = {};
  OnFailure on_failure = {};
  /// Called after each image, one call at a time, with the seconds that its batch's inference took for one image.
  std::function<void(size_t done, size_t total, double seconds)> progress;
};
struct ValidateReport {
  Evaluation evaluation;  ///< of the images that could be used, and were finished before a stop
  size_t total = 0;       ///< images that were to be run
  std::vector<PictureFailure> failures;
  std::string warning;           ///< "", or a line: the model's outputs held NaN, for which pictures
  double seconds = 0;            ///< from the first image read to the last detection
  double inference_seconds = 0;  ///< of that, in the network; the mean of the streams
};
/// Images to mAP in one process with no files between. Decoding, inference and postprocessing overlap. An image that
/// cannot be used does not end the run, and what was computed is not lost: also where it ends by an error, such as a
/// full disk, the results of finished images are written. Throws where no image could be used, and before the first
/// image where the model's classes are not the data set's (ClassMapping).
EFFDET_API ValidateReport validate_dataset(const std::filesystem::path& root, const CompiledModel& model,
                                           const ValidateOptions& options, int threads = 0);

}  // namespace effdet
