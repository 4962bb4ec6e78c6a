// Data sets: synthetic ones, preprocessing to files, evaluation of dumped outputs, and evaluation of a model.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "effdet/anchor_options.h"
#include "effdet/compiled_model.h"
#include "effdet/detection.h"
#include "effdet/evaluation_analysis.h"
#include "effdet/evaluation_comparison.h"
#include "effdet/export.h"
#include "effdet/image_failure.h"
#include "effdet/listed_image.h"

namespace effdet {

/// If set, called after each item, possibly from another thread; calls do not overlap.
using Progress = std::function<void(size_t done, size_t total)>;

/// If set, called with one line of text for each thing that was left out of a data set or corrected in it, as soon as
/// it is known.
using OnNote = std::function<void(const std::string&)>;

/// Where a data set lies. A root folder alone is enough where its layout is a usual one.
struct DataSource {
  DataSource() = default;
  template <typename Path>
  requires std::is_convertible_v<Path, std::filesystem::path> DataSource(Path&& folder)
      : root(std::forward<Path>(folder)) {}

  std::filesystem::path root;
  std::string format;                 ///< a name of dataset_formats(), or empty: that of what lies in root
  std::string split = "val";          ///< the part of the data set, by any usual name: "val" is "valid", too
  std::filesystem::path annotations;  ///< COCO's file, instead of the one in root, which then may be empty
  std::filesystem::path images;       ///< the folder of the images, instead of the one in root
  /// Where the images are, files and members of tar files in any order, instead of a folder; only with annotations in
  /// COCO's format. An annotated image is the one with its file name whose folders agree best; where a list has none of
  /// that name, the member of a tar file whose name up to the first dot (WebDataset's key) is its own up to there. One
  /// that is not listed cannot be used; of those that are not annotated a note tells the number.
  std::vector<ListedImage> listed = {};
};

/// The layout of a data set's root folder in each supported format, such as "annotations/ and images/"; for help texts.
EFFDET_API std::string dataset_layouts();
/// The names of the supported formats: "coco, ...".
EFFDET_API std::string dataset_formats();
/// The folder with the images of a data set. The folder need not exist.
EFFDET_API std::filesystem::path image_folder(const DataSource& data);

struct SyntheticScenes {
  int images = 24;  ///< number of images, at most a million
  uint64_t seed = 1;
  int first_id = 1;                    ///< id of the first image; the others follow
  int min_side = 192, max_side = 320;  ///< of the images, in pixels; 64 to 4096
};
/// Writes a data set of coloured shapes with exact boxes, in COCO's format. An image depends on the seed, its id and
/// the sides only, and has the same pixels on every machine. Existing files are replaced. Throws Error(kUsage) for
/// options out of range, Error(kIo).
EFFDET_API void write_scenes(const std::filesystem::path& root, const SyntheticScenes& options,
                             const Progress& progress = {});

struct ConvertOptions {
  std::string format;  ///< a name of dataset_formats()
  bool link = false;   ///< make symbolic links to the images instead of copies
  /// Give images whose ids are names the ids 1, 2, ... in the order of the names: what many programs want of COCO's
  /// files.
  bool number_images = false;
  /// Of the new data set: letters, digits, "_", "-", "."; empty: that of DataSource.
  std::string split = {};
};
struct ConvertReport {
  size_t images = 0, annotations = 0, categories = 0;  ///< written
  /// What was left out of the data set, and what the format does not hold, a line each.
  std::vector<std::string> notes;
  std::vector<ImageFailure> failures;  ///< images that cannot be read, which are left out with their annotations
};
/// Writes a split of a data set in another format, with its images. What was written is read again
/// and compared: notes name what came out different, ids for example, which not all formats have. Throws as reading the
/// data set does; Error(kUsage) for a folder that is not empty; Error(kUnsupported) for a format that is not written;
/// Error(kBadInput) for names that the format cannot hold; Error(kIo); the first image's error if no image could be
/// used. Where it throws, the folder is left empty.
EFFDET_API ConvertReport convert_dataset(const DataSource& data, const std::filesystem::path& out,
                                         const ConvertOptions& options, const Progress& progress = {},
                                         const OnFailure& on_failure = {});

/// The model that images are preprocessed for.
struct InputOptions {
  std::string model = "tf_efficientdet_d7";  ///< variant: determines mean, standard deviation, fill colour and size
  int height = 0, width = 0;                 ///< of the input in pixels; 0: the variant's (width 0: as height)
  /// Metadata of an exported or compiled model. If not empty, they are used instead of the variant's defaults.
  std::map<std::string, std::string> metadata = {};
};

struct PreprocessReport {
  size_t written = 0;                ///< number of files
  std::vector<std::string> skipped;  ///< file names of images with a side under 32 pixels, which effdet skips
  std::vector<ImageFailure> failures;
  std::vector<std::string> notes;  ///< what was left out of the annotations, and how EXIF orientations were handled
  double seconds = 0;
};
/// Writes FOLDER/<stem>.bin for every image of the data set: little-endian float32 [3, height, width], letterboxed and
/// normalised as effdet's data loader does. Creates the folder. Each file appears whole or not at all. threads: 0 for
/// EFFDET_NUM_THREADS or all cores. Images that cannot be used are skipped and reported. Throws Error(kUsage) for an
/// unknown variant or a size that it cannot take, as reading the annotations does, Error(kIo), and the first image's
/// error if no image could be used.
EFFDET_API PreprocessReport preprocess_dataset(const DataSource& data, const std::filesystem::path& folder,
                                               const InputOptions& options, int threads = 0,
                                               const Progress& progress = {}, const OnFailure& on_failure = {});

/// Writes an info list, the input of `benchmark`: one line "index path width height" for every *.bin file of the folder
/// except hidden ones, sorted by name, with the given size in pixels. Paths start with the folder as given. Returns the
/// number of lines. Throws Error(kUsage) for a size below 1, Error(kBadInput) if the folder has no such file,
/// Error(kIo).
EFFDET_API size_t write_bin_info(const std::filesystem::path& folder, const std::filesystem::path& list, int width,
                                 int height);
/// The same for JPEG files (.jpg and .jpeg in any case), each with the size in its header. Files without a readable
/// header are skipped and reported. Throws the first file's error if all were skipped.
EFFDET_API size_t write_image_info(const std::filesystem::path& folder, const std::filesystem::path& list,
                                   const OnFailure& on_failure = {});

/// One line of an info list.
struct InfoEntry {
  int64_t index = 0;
  std::string path;
  int width = 0, height = 0;
};
/// Reads an info list. Throws Error(kBadInput) with the line number for a malformed line, a repeated index or a size
/// below 1, and for an empty list; Error(kIo).
EFFDET_API std::vector<InfoEntry> read_info(const std::filesystem::path& list);

/// By whose rules detections are evaluated.
enum class EvaluationRules {
  kCoco,  ///< pycocotools'
  kLvis,  ///< lvis-api's: an image is annotated for some categories only; 300 detections in all of them together count
};

/// Metrics for boxes.
struct Evaluation {
  EvaluationRules rules = EvaluationRules::kCoco;
  /// In pycocotools' order: AP, AP50, AP75, AP small, medium, large, AR1, AR10, AR100, AR small, medium, large; -1 if
  /// there is no ground truth, or if other areas, numbers of detections or rules were asked for.
  std::array<double, 12> stats{};
  struct Metric {
    std::string name;  ///< "AP", "AP50", "AP_small", "AR100", ...; of LVIS "APs", "APr", "AR@300", ...
    double value;
  };
  std::vector<Metric> metrics;       ///< the numbers of summary; the stats, where all options are the default ones
  std::vector<std::string> summary;  ///< the lines that pycocotools or lvis-api prints
  size_t images = 0;                 ///< number of images that were evaluated
  size_t detections = 0;             ///< number of results in these
  size_t all_images = 0;             ///< number of images in the annotations
  std::vector<std::string> areas;    ///< labels of the area ranges; the first is that of numbers without a size
  struct CategoryAp {
    int64_t id;  ///< -1 if categories are ignored
    std::string name;
    double ap;                           ///< average over the IoU thresholds; -1 if there is no ground truth
    double ap50 = -1, ap75 = -1;         ///< -1 also if there is no such threshold
    double ar = -1;                      ///< at the largest number of detections
    std::vector<double> area_ap = {};    ///< for each of areas but the first
    size_t objects = 0, detections = 0;  ///< objects that count in the first area range; results
    char frequency = 0;                  ///< of LVIS: 'r', 'c' or 'f', for rare, common and frequent
  };
  std::vector<CategoryAp> categories;
  /// What kinds of errors cost, as tidecv 1.0.1 defines them, where EvaluateOptions::error_analysis asks for it.
  struct ErrorAnalysis {
    struct Kind {
      std::string name;  ///< tidecv's: "Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"
      double cost;       ///< what AP would gain if the errors of this kind were mended
      size_t count;      ///< detections, or objects for "Miss"
    };
    std::vector<Kind> kinds;  ///< empty: not asked for
    double ap = -1;           ///< at IoU 0.5, of the 100 best detections of an image in all categories together
    double false_positives = -1, false_negatives = -1;  ///< what AP would gain without them
  };
  ErrorAnalysis errors;                                 ///< AP and costs are 0 to 1
  std::optional<EvaluationAnalysis> analysis = {};      ///< where the options ask for it
  std::optional<EvaluationComparison> comparison = {};  ///< likewise
  std::vector<std::string> notes;                       ///< what was left out of the data set and why, one line each
};

/// How a model's classes are mapped to a data set's categories.
enum class ClassMapping {
  /// By name if the names agree; otherwise by id, as effdet trains (category id = class index + 1), if the ids fit;
  /// otherwise in order, with a note, if there are as many categories as classes; otherwise an error.
  kAuto,
  kIds,    ///< category id = class index + 1
  kNames,  ///< by name; categories whose name no class has are never detected
  kOrder,  ///< class 0 is the category with the lowest id, and so on
};
struct ClassOptions {
  ClassMapping mapping = ClassMapping::kAuto;
  std::vector<std::string>
      names;  ///< class names by index; empty: the model's own, or COCO's if it has as many classes
  /// If not empty, instead of mapping: a text file with a line "class,category" for each class that counts. A class is
  /// its name or its index (from 0), a category its id or its name; several classes may be one category.
  std::filesystem::path map = {};
};

struct PostprocessOptions {
  InputOptions input;   ///< the model that made the outputs
  int num_classes = 0;  ///< 0: inferred from the size of the files
  AnchorOptions anchors;
  DetectOptions detect;
  std::filesystem::path results = {};  ///< file for COCO results; empty: none
  ClassOptions classes = {};
  OnNote on_note = {};
};
/// Evaluates a folder of dumped outputs against the data set, on the images that were dumped. Files: <stem>_<k>.bin
/// (raw little-endian float32), .npy or .txt, k from 0 or 1; the class and box maps of every level, all classes first
/// or class and box maps in turn; or one file with rows of detections (models exported with --with-nms). threads: 0 for
/// EFFDET_NUM_THREADS or all cores. Throws Error(kBadInput) for outputs that do not fit the model or the data set,
/// Error(kUsage) for options out of range, Error(kIo).
EFFDET_API Evaluation postprocess_dumps(const DataSource& data, const std::filesystem::path& dumps,
                                        const PostprocessOptions& options, int threads = 0,
                                        const Progress& progress = {});

/// pycocotools' Params. Lists that are empty stand for its defaults.
struct EvaluateOptions {
  EvaluationRules rules = EvaluationRules::kCoco;
  /// Text file with a line "category_id of the results,category of the annotations" for each of those that count, the
  /// second by id or name; empty: they are the same.
  std::filesystem::path category_map = {};
  /// Evaluate only images that have results, as effdet's evaluator does, instead of all images of the annotation file,
  /// as pycocotools does. Images in which nothing was detected then do not count. With a comparison: images that have
  /// results in either file.
  bool only_images_with_results = false;
  /// Treat as errors what is otherwise left out with a note: boxes with NaN, infinity or a negative side, and
  /// annotations of images or categories that are not listed.
  bool strict = false;
  std::vector<std::string> images;                        ///< ids; empty: all
  std::vector<std::string> categories;                    ///< ids or names; empty: all
  bool ignore_categories = false;                         ///< all is one category, as for proposals (useCats = 0)
  std::vector<double> iou_thresholds, recall_thresholds;  ///< 0 to 1; empty: 0.5 to 0.95 by 0.05, and 0 to 1 by 0.01
  struct AreaRange {
    std::string label;
    double low, high;  ///< in square pixels, both included
  };
  std::vector<AreaRange> areas;                  ///< the first is that of AP; empty: all, small, medium, large
  bool error_analysis = false;                   ///< fill in Evaluation::errors, on the same images and categories
  std::optional<AnalysisOptions> analysis = {};  ///< fill in Evaluation::analysis
  /// Fill in Evaluation::comparison: the other results are evaluated with the same options. Results of categories that
  /// the annotation file does not have are then an error, in either file.
  std::optional<ComparisonOptions> comparison = {};
  /// An image and category, best first; empty: 1, 10, 100. Of LVIS one number, of an image; empty: 300.
  std::vector<size_t> max_detections;
  /// File for COCOeval's arrays as numpy's .npz: precision [T, R, K, A, M], recall [T, K, A, M], scores as precision,
  /// and the parameters iouThrs, recThrs, areaRng, maxDets and, unless the file's ids are strings, catIds and imgIds;
  /// empty: none. Of LVIS precision and scores [T, R, K, A] and recall [T, K, A], as LVISEval has them.
  std::filesystem::path arrays = {};
  /// If set, told how much of a stage is done: of the files' megabytes while they are read ("annotations, MB",
  /// "results, MB"), of the images ("images") while they are evaluated, of the "resamples" of a comparison. From any
  /// thread; calls do not overlap.
  std::function<void(std::string_view stage, size_t done, size_t total)> progress = {};
};
/// Evaluates a COCO results file against a COCO annotation file, as pycocotools (or lvis-api 0.5.3) does: the same
/// bits, at any number of threads (0: EFFDET_NUM_THREADS or all cores). The images themselves are not needed. Throws
/// Error(kUsage) if the two files are swapped and for options out of range or ids that the annotation file does not
/// have, Error(kBadInput) for malformed files, without the fields that the rules need for example, and for results of
/// images (and, to be compared, of categories) that are not in the annotation file, Error(kUnsupported) for arrays
/// above 2 GiB, Error(kIo).
EFFDET_API Evaluation evaluate_results(const std::filesystem::path& annotations, const std::filesystem::path& results,
                                       const EvaluateOptions& options = {}, int threads = 0);

/// One of several parts of a data set, for runs at the same time: the images in order of their ids, divided evenly.
struct Shard {
  static constexpr size_t kMost = 1 << 20;

  size_t index = 0;  ///< below count
  size_t count = 1;  ///< 1 to kMost
};
/// The file that a run keeps its shard in, for merge_shards(): "r.json.shard-0-of-4" of the results file r.json.
EFFDET_API std::filesystem::path shard_file(const std::filesystem::path& results, const Shard& shard);

/// What a run is about to do.
struct ValidateStart {
  std::string annotations;  ///< file or folder
  size_t images = 0;        ///< to be run, those that were done before included
  size_t done = 0;          ///< images that an earlier run did, as the journal says
  size_t all_images = 0;    ///< in the annotations
  size_t categories = 0;    ///< in the annotations
  std::string device;       ///< that the model is compiled for
  int threads = 0;          ///< of all streams
  size_t run_images = 0;    ///< of all shards together
};

/// Called with the mAP of so many images, those that are done so far.
using OnRunningMap = std::function<void(double map, size_t images)>;

struct ValidateOptions {
  DetectOptions detect;
  std::filesystem::path results;   ///< file for COCO results; empty: none
  size_t limit = 0;                ///< maximum number of images, in order of their ids; 0: all
  std::filesystem::path pictures;  ///< folder for images with the detections drawn; empty: none
  float picture_threshold = 0.3f;  ///< minimum score of the boxes that are drawn, 0 to 1
  int streams = 1;                 ///< number of batches in the network at the same time; they share the threads
  bool error_analysis = false;     ///< fill in Evaluation::errors
  std::optional<AnalysisOptions> analysis = {};  ///< fill in Evaluation::analysis
  ClassOptions classes = {};
  /// Only this part of the images (after limit). Its results are what the journal keeps; leave `results` empty.
  Shard shard = {};
  /// If not empty: the file to which each image is appended as it is done, so that a run that was killed can be
  /// resumed. Once `results` are written and cover all images, it is removed; without `results` it stays.
  std::filesystem::path journal = {};
  /// Take over what the journal has, if it is there, and run the other images, and those again that could not be used.
  /// Without it, a journal that has finished images is an error.
  bool resume = false;
  bool strict = false;  ///< the first image that cannot be used is an error
  /// If set: once it is true, no further image is started; the report covers those that are finished.
  const std::atomic<bool>* stop = nullptr;
  OnNote on_note = {};
  OnFailure on_failure = {};
  std::function<void(const ValidateStart&)> on_start = {};  ///< if set, called before the first image
  /// If set, called after each image with the time per image that its batch took in the network, in seconds; calls do
  /// not overlap.
  std::function<void(size_t done, size_t total, double seconds)> progress;
  /// If set, called every two seconds at most, from a thread of its own; takes a hundredth of one core's time.
  OnRunningMap on_running_map = {};
};
struct ValidateReport {
  Evaluation evaluation;  ///< of the images that could be used and were finished before a stop
  size_t total = 0;       ///< number of images that were to be run
  std::vector<ImageFailure> failures;
  std::string warning;           ///< empty, or one line: for which images the model's outputs contained NaN or infinity
  double seconds = 0;            ///< from the first image read to the last detection
  double inference_seconds = 0;  ///< the part of it that was spent in the network; mean over the streams
};
/// Evaluates a model on a data set, from images to mAP, without intermediate files. Decoding, inference and
/// postprocessing overlap. threads: 0 for EFFDET_NUM_THREADS or all cores. Images that cannot be used are skipped and
/// reported. If the run ends with an error, such as a full disk, the results of finished images are still written, and
/// the journal stays. Throws the first image's error if no image could be used; before the first image,
/// Error(kBadInput) if classes and categories do not fit (ClassMapping), or if a journal is damaged or of another run,
/// Error(kUnsupported) as DetectionDecoder, Error(kUsage) for options out of range.
EFFDET_API ValidateReport validate_dataset(const DataSource& data, const CompiledModel& model,
                                           const ValidateOptions& options, int threads = 0);

struct MergeOptions {
  std::filesystem::path results;      ///< file for COCO results; empty: none
  std::filesystem::path root;         ///< as DataSource; empty: what the shards had
  std::filesystem::path annotations;  ///< likewise
  /// As DataSource; images are only needed where the annotations do not tell their sizes.
  std::filesystem::path images = {};
  std::vector<ListedImage> listed = {};
  OnNote on_note = {};
  OnFailure on_failure = {};
};
/// Joins the shards of a data set: results and numbers are those of one run over all images, to the bit. The images are
/// not needed. Throws Error(kBadInput) for shards that are damaged, of different runs, of other annotations, given
/// twice, missing, or not finished, Error(kUsage) for no shard, Error(kIo), and the first image's error if no image
/// could be used.
EFFDET_API ValidateReport merge_shards(const std::vector<std::filesystem::path>& shards, const MergeOptions& options);

}  // namespace effdet
