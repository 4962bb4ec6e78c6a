// detect: finds the objects in images, draws them, and lists them.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "calibration_options.h"
#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "effdet/image_failure.h"
#include "effdet/output_file.h"
#include "input_paths.h"
#include "partial_run.h"
#include "progress.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

struct DetectArguments {
  std::string program;
  std::vector<std::string> images;
  std::string checkpoint, model_file, out, contact_sheet;
  ModelOptions model;
  CalibrationOptions calibration;
  DetectOptions detect{.score_threshold = 0.3f};
  int threads = 0;
  bool json = false;
};

/// An image with the file that it is drawn to.
struct ImageFile {
  fs::path in, out;
};

/// A pattern that the shell did not expand.
std::vector<fs::path> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

/// Files as given, the images of folders by name, and what patterns match.
std::vector<fs::path> expand(const std::vector<std::string>& arguments) {
  std::vector<fs::path> paths;
  for (const std::string& argument : arguments) {
    if (is_folder(argument)) {
      std::vector<fs::path> inside = files_of(argument, is_image);
      if (inside.empty())
        throw Error(ErrorCode::kUsage, fmt::format("{}: no .jpg, .jpeg or .png in this folder", argument));
      std::ranges::move(inside, std::back_inserter(paths));
    } else if (!is_there(argument) && argument.find_first_of("*?[") != std::string::npos) {
      std::vector<fs::path> found = matches(argument);
      if (found.empty()) throw Error(ErrorCode::kUsage, fmt::format("{}: no file matches", argument));
      std::ranges::move(found, std::back_inserter(paths));
    } else {
      paths.emplace_back(argument);
    }
  }
  return paths;
}

/// A name of its own for each output; images of one stem get numbers.
std::vector<ImageFile> plan(const std::vector<fs::path>& images, const fs::path& folder) {
  std::vector<ImageFile> files;
  std::set<fs::path> taken;
  for (const fs::path& image : images) {
    const std::string stem = image.stem().string();
    fs::path out = folder / (stem + ".jpg");
    for (int number = 2; !taken.insert(out).second; ++number) out = folder / fmt::format("{}_{}.jpg", stem, number);
    files.push_back({image, out});
  }
  for (const fs::path& image : images) {
    const fs::path same_name = folder / image.filename();
    std::error_code ignored;
    if (taken.contains(same_name) && fs::equivalent(image, same_name, ignored))
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} would be overwritten; give another folder with --out", image.string()));
  }
  return files;
}

std::vector<std::string> class_names(const ModelDescription& description, const ModelOptions& options) {
  if (options.class_names.empty()) return class_names_of(description);
  if (static_cast<int>(options.class_names.size()) != description.num_classes)
    throw Error(ErrorCode::kUsage, fmt::format("--class-names: {} names for {} classes", options.class_names.size(),
                                               description.num_classes));
  return options.class_names;
}

std::string name_of(const Detection& detection, const std::vector<std::string>& names) {
  const auto index = static_cast<size_t>(detection.category - 1);
  return index < names.size() ? names[index] : fmt::format("class {}", detection.category);
}

nlohmann::json image_json(const ImageFile& file, const RgbImage& image, const std::vector<Detection>& detections,
                          const std::vector<std::string>& names) {
  nlohmann::json list = nlohmann::json::array();
  for (const Detection& d : detections)
    list.push_back({{"category_id", d.category},
                    {"category", name_of(d, names)},
                    {"score", d.score},
                    {"bbox", {d.x1, d.y1, d.x2 - d.x1, d.y2 - d.y1}}});
  return {{"image", file.in.string()},
          {"width", image.width},
          {"height", image.height},
          {"picture", file.out.string()},
          {"detections", list}};
}

void add_rows(Table& table, const ImageFile& file, const std::vector<Detection>& detections,
              const std::vector<std::string>& names) {
  const std::string name = one_line(file.in.filename().string());
  if (detections.empty()) table.add({name, "(nothing)"});
  for (const Detection& d : detections)
    table.add({name, one_line(name_of(d, names)), fmt::format("{:.3f}", d.score), fmt::format("{:.1f}", d.x1),
               fmt::format("{:.1f}", d.y1), fmt::format("{:.1f}", d.x2), fmt::format("{:.1f}", d.y2)});
}

/// The first annotated images side by side, for a look at all of them at once.
class Sheet {
 public:
  /// Throws Error(kUsage) where the name is none of an image.
  explicit Sheet(std::string path) : path_(std::move(path)) {
    if (!path_.empty() && !is_image(path_))
      throw Error(ErrorCode::kUsage, fmt::format("--contact-sheet: {} is none of .jpg, .jpeg and .png", path_));
  }

  void add(const fs::path& name, const RgbImage& annotated) {
    if (path_.empty() || images_.size() == kMost) return;
    images_.push_back(thumbnail(annotated, kCell));
    captions_.push_back(name.stem().string());
  }

  void write() const {
    if (!path_.empty()) write_image(path_, contact_sheet(images_, kColumns, kCell, captions_));
  }

 private:
  static constexpr size_t kMost = 48;
  static constexpr int kColumns = 8, kCell = 240;  // in pixels

  std::string path_;
  std::vector<RgbImage> images_;
  std::vector<std::string> captions_;
};

/// What was found in the images so far.
class Findings {
 public:
  explicit Findings(const DetectArguments& arguments)
      : file_(fs::path(arguments.out) / "detections.json"), json_(arguments.json), sheet_(arguments.contact_sheet) {
    table_.add({"image", "class", "score", "x1", "y1", "x2", "y2"});
  }

  void add(const ImageFile& file, RgbImage image, const std::vector<Detection>& detections,
           const std::vector<std::string>& names) {
    image = annotate(std::move(image), detections, names);
    write_image(file.out, image);
    sheet_.add(file.in, image);
    list_.push_back(image_json(file, image, detections, names));
    add_rows(table_, file, detections, names);
  }

  size_t images() const { return list_.size(); }

  /// The list first: it is what the work was done for.
  void write() const {
    write_output(file_, json_text(list_));
    sheet_.write();
  }

  void print() const { json_ ? fmt::print("{}", json_text(list_)) : table_.print(); }

  std::string file() const { return file_.string(); }

 private:
  fs::path file_;
  bool json_;
  Sheet sheet_;
  nlohmann::json list_ = nlohmann::json::array();
  Table table_;
};

/// All images, one after the other.
class DetectRun {
 public:
  DetectRun(const DetectArguments& arguments, const std::vector<ImageFile>& files, Findings& findings)
      : files_(files),
        findings_(findings),
        file_(arguments.checkpoint.empty() ? arguments.model_file : checkpoint_file(arguments.checkpoint)),
        detector_(open_model(file_, arguments.model, arguments.calibration, arguments.threads), arguments.threads,
                  arguments.detect),
        names_(class_names(detector_.description(), arguments.model)) {}

  /// Goes on without images that cannot be used, which are named. Throws the error where there is but one image.
  void run(const StopRequest& stop) {
    ProgressBar progress("detect");
    for (const ImageFile& file : files_) {
      if (stop.requested()) break;
      std::vector<Detection> detections;
      if (auto image = detect(file, detections)) findings_.add(file, std::move(*image), detections, names_);
      progress.update(findings_.images() + failed_, files_.size());
    }
  }

  size_t failed() const { return failed_; }
  void warn_of_outputs(const std::string& program) const { warn_of(program, file_, detector_.warning()); }

 private:
  std::optional<RgbImage> detect(const ImageFile& file, std::vector<Detection>& detections) try {
    RgbImage image = read_image(file.in);
    detections = detector_.detect(image, file.in.string());
    return image;
  } catch (const Error& error) {
    if (!lies_in_the_image(error.code())) throw;
    if (++failed_ == files_.size()) throw;
    warn(error.what());
    return std::nullopt;
  }

  const std::vector<ImageFile>& files_;
  Findings& findings_;
  std::string file_;
  Detector detector_;
  std::vector<std::string> names_;
  size_t failed_ = 0;
};

int detect_all(const DetectArguments& arguments) {
  const std::vector<ImageFile> files = plan(expand(arguments.images), arguments.out);
  Findings findings(arguments);
  make_output_folder(arguments.out);
  DetectRun run(arguments, files, findings);
  StopRequest stop;
  try {
    run.run(stop);
  } catch (const Error& error) {
    if (findings.images() == 0) throw;
    findings.write();
    throw Error(error.code(), fmt::format("{}; {} has what was found in {} of {} images", error.what(), findings.file(),
                                          findings.images(), files.size()));
  }
  run.warn_of_outputs(arguments.program);
  if (findings.images() > 0) {
    findings.write();
    findings.print();
  }
  return end_of_run(arguments.program, {findings.images(), run.failed(), files.size()}, stop,
                    "the results in " + findings.file());
}

}  // namespace

int run_detect(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Finds the objects in images: draws them into OUT/<name>.jpg and lists them in OUT/detections.json.",
                   "effdet detect street.jpg --checkpoint d0.pth --out found\n"
                   "effdet detect photos/ 'more/*.png' --model-file d0.om --out found --score 0.5");
  DetectArguments arguments{.program = line.program()};
  line.add_option("images", arguments.images, "images (JPEG, PNG), folders of them, or quoted patterns")
      ->required()
      ->type_name("IMAGE");
  auto* checkpoint = line.add_option("--checkpoint", arguments.checkpoint, "PyTorch checkpoint; compiled on the fly")
                         ->type_name("FILE");
  auto* model_file = line.add_option("--model-file", arguments.model_file, "ONNX or compiled model")->type_name("FILE");
  checkpoint->excludes(model_file);
  line.add_option("--out", arguments.out, "folder for the results")->required()->type_name("DIR");
  line.add_output("--contact-sheet", arguments.contact_sheet,
                  "also write the first 48 images side by side (.jpg or .png)");
  line.add_option("--score", arguments.detect.score_threshold, "leave out detections with a lower score")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("S");
  line.add_soft_nms(arguments.detect);
  line.add_model_options(arguments.model);
  line.add_precision(arguments.model);
  arguments.calibration.add_to(line);
  line.add_threads(arguments.threads);
  line.add_json(arguments.json);
  if (!line.read()) return 0;
  if (arguments.checkpoint.empty() && arguments.model_file.empty())
    throw Error(ErrorCode::kUsage, "one of --checkpoint and --model-file is required");
  return detect_all(arguments);
}

}  // namespace effdet::cli
