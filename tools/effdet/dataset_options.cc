// Adds the options of data sets to a command, and checks them.
#include "dataset_options.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "analysis_json.h"
#include "comparison_json.h"
#include "describe.h"
#include "effdet/compiled_model.h"
#include "effdet/error.h"
#include "effdet/file_kind.h"
#include "effdet/onnx_model.h"
#include "image_arguments.h"
#include "input_paths.h"
#include "plans.h"

namespace effdet::cli {

void ImagePlaceOptions::add_to(CommandLine& line) {
  line.add_option("--images", images_,
                  "folder of the images, wherever it lies, or tar files with them (WebDataset), images, or quoted "
                  "patterns: 'val-{000..063}.tar'; matched with the annotations by their names")
      ->allow_extra_args(false)
      ->type_name("DIR|TAR");
  line.add_option("--list", lists_, list_help())->allow_extra_args(false)->type_name("FILE");
}

void ImagePlaceOptions::fill(DataSource& data) const {
  if (!given()) return;
  if (images_.size() == 1 && lists_.empty() && !names_files(images_.front())) {
    data.images = images_.front();
  } else {
    data.listed = listed_images(images_, lists_);
  }
}

void DataSourceOptions::add_to(CommandLine& line, const std::string& root) {
  flag_ = root;
  line.add_option(root, root_, "folder with " + dataset_layouts())->type_name("DIR");
  line.add_option("--dataset", dataset_, "format: " + dataset_formats() + "; default: what the folder has")
      ->type_name("NAME");
  line.add_flag("--lvis", lvis_,
                "the same as --dataset lvis: LVIS' rules and 300 detections of an image, as files named lvis_* have")
      ->excludes("--dataset");
  line.add_option("--split", split_, "part of the data set: val, train, test, or as its files name it")
      ->capture_default_str()
      ->type_name("NAME");
  line.add_option("--annotations", annotations_, "annotation file in COCO's format, wherever it lies")
      ->type_name("FILE");
  place_.add_to(line);
}

DataSource DataSourceOptions::source() const {
  if (root_.empty() && annotations_.empty())
    throw Error(ErrorCode::kUsage, fmt::format("{} is required: the data set's folder, or give --annotations FILE and "
                                               "--images DIR",
                                               flag_));
  if (is_tar(root_))
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: a tar file has images, and no annotations: give it by --images, and "
                            "--annotations FILE",
                            root_));
  DataSource data(root_);
  data.format = lvis_ ? "lvis" : dataset_;
  data.split = split_;
  data.annotations = annotations_;
  place_.fill(data);
  return data;
}

void DatasetOptions::add_to(CommandLine& line) {
  data_.add_to(line, "--root");
  line.add_option("-m,--model", model_, "variant, such as tf_efficientdet_d0, or the ONNX or compiled model itself")
      ->capture_default_str()
      ->type_name("NAME|FILE");
  line.add_image_size(size_);
}

InputOptions DatasetOptions::input() const {
  InputOptions input{model_, size_.height, size_.width};
  if (!is_file(model_)) return input;
  const FileKind kind = file_kind(model_);
  if (kind != FileKind::kOnnx && kind != FileKind::kCompiled)
    throw Error(ErrorCode::kUsage, fmt::format("--model: {} is neither an ONNX nor a compiled model", model_));
  if (kind == FileKind::kOnnx) {
    input.metadata = OnnxModel::read(model_).metadata();
  } else {
    // A compiled model may have another size than it was exported for; one that it has not is refused.
    const CompiledModel model = CompiledModel::open(model_, {.height = size_.height, .width = size_.width});
    input.metadata = model.metadata();
    if (size_.height == 0 && !input.metadata.empty()) {
      const ModelDescription description = model.plan(largest_plan(model)).description();
      input.height = description.height;
      input.width = description.width;
    }
  }
  if (input.metadata.empty())
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: has no effdet metadata; export the checkpoint with pth2onnx", model_));
  return input;
}

CLI::Option* add_category_map(CommandLine& line, ClassOptions& options) {
  static const std::map<std::string, ClassMapping> kMappings{{"auto", ClassMapping::kAuto},
                                                             {"ids", ClassMapping::kIds},
                                                             {"names", ClassMapping::kNames},
                                                             {"order", ClassMapping::kOrder}};
  const auto set = [&options](const std::string& text) {
    if (const auto named = kMappings.find(text); named != kMappings.end()) {
      options.mapping = named->second;
    } else if (is_file(text)) {
      options.map = text;
    } else {
      throw Error(ErrorCode::kUsage,
                  fmt::format("--category-map: '{}' is neither auto, ids, names, order nor a file", text));
    }
  };
  return line
      .add_option_function<std::string>(
          "--category-map", set,
          "which category of the data a class is: auto (by name where names agree, else by id where ids fit, else in "
          "order where there are as many), ids (class + 1), names, order, or a file with lines class,category, each by "
          "name or number")
      ->option_text("auto|ids|names|order|FILE");
}

nlohmann::json evaluation_json(const Evaluation& evaluation) {
  nlohmann::json stats, categories = nlohmann::json::array();
  for (const auto& [name, value] : evaluation.metrics) stats[name] = value;
  for (const Evaluation::CategoryAp& category : evaluation.categories) {
    nlohmann::json entry = {{"id", category.id},           {"name", category.name},
                            {"AP", category.ap},           {"AP50", category.ap50},
                            {"AP75", category.ap75},       {"AR", category.ar},
                            {"objects", category.objects}, {"detections", category.detections}};
    if (category.frequency != 0) entry["frequency"] = std::string(1, category.frequency);
    for (size_t a = 0; a < category.area_ap.size(); ++a) entry["AP_" + evaluation.areas[a + 1]] = category.area_ap[a];
    categories.push_back(std::move(entry));
  }
  nlohmann::json json = {{"rules", evaluation.rules == EvaluationRules::kLvis ? "lvis" : "coco"},
                         {"images", evaluation.images},
                         {"images_in_annotations", evaluation.all_images},
                         {"detections", evaluation.detections},
                         {"stats", stats},
                         {"categories", categories},
                         {"notes", evaluation.notes}};
  if (const auto& errors = evaluation.errors; !errors.kinds.empty()) {
    json["errors"] = {{"AP50", errors.ap}, {"FalsePos", errors.false_positives}, {"FalseNeg", errors.false_negatives}};
    for (const auto& [name, cost, count] : errors.kinds) json["errors"][name] = {{"cost", cost}, {"count", count}};
  }
  if (evaluation.analysis) json["analysis"] = analysis_json(evaluation);
  if (evaluation.comparison) json["comparison"] = comparison_json(evaluation);
  return json;
}

nlohmann::json failures_json(const std::vector<ImageFailure>& failures) {
  nlohmann::json list = nlohmann::json::array();
  for (const ImageFailure& failure : failures) list.push_back(failure.message);
  return list;
}

void print_evaluation_of_run(const Evaluation& evaluation) {
  fmt::print(
      "[INFO] evaluated, as by effdet, on the {} images that were run, of {}; 'effdet evaluate' counts all, as "
      "pycocotools does\n",
      evaluation.images, evaluation.all_images);
  print_evaluation(evaluation, false);
}

void print_evaluation(const Evaluation& evaluation, bool json) {
  if (json) return fmt::print("{}", json_text(evaluation_json(evaluation)));
  for (const std::string& line : evaluation.summary) fmt::print("{}\n", line);
}

}  // namespace effdet::cli
