// Options and output of the evaluation by Open Images' rules.
#include "open_images_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "describe.h"
#include "effdet/open_images.h"

namespace effdet::cli {
namespace {

std::string ap_text(double value) { return value < 0 ? "-" : fmt::format("{:.3f}", value); }

void print_json(const OpenImagesReport& report) {
  nlohmann::json categories = nlohmann::json::array();
  for (const OpenImagesReport::Category& category : report.categories)
    categories.push_back({{"name", category.name},
                          {"AP50", category.ap},
                          {"objects", category.objects},
                          {"detections", category.detections}});
  fmt::print("{}", json_text({{"rules", "openimages"},
                              {"images", report.images},
                              {"detections", report.detections},
                              {"stats", {{"mAP50", report.mean_ap}}},
                              {"categories", categories},
                              {"notes", report.notes}}));
}

}  // namespace

void OpenImagesCommand::add_to(CommandLine& line) {
  CLI::Option* flag = line.add_flag(
      "--open-images", given_,
      "rules of the Open Images challenge, as TensorFlow's evaluator has them: IoU 0.5, groups, image-level labels, "
      "hierarchy of classes; --gt is the folder of a data set in its format");
  for (const char* other :
       {"--lvis", "--only-images-with-results", "--images", "--categories", "--category-map", "--no-categories",
        "--iou-thresholds", "--recall-thresholds", "--areas", "--max-dets", "--errors", "--analysis",
        "--score-threshold", "--match-iou", "--against", "--arrays", "--strict", "--report"})
    flag->excludes(line.get_option(other));
  line.add_option("--hierarchy", hierarchy_, "hierarchy of the classes (JSON); default: beside the annotations")
      ->needs(flag)
      ->type_name("FILE");
  line.add_option("--image-labels", image_labels_, "image-level labels (CSV); default: beside the annotations")
      ->needs(flag)
      ->type_name("FILE");
  line.add_option("--split", split_, "part of the data set")->needs(flag)->type_name("NAME");
}

void OpenImagesCommand::run(const std::string& data, const std::string& results, int threads, bool per_class,
                            bool json) const {
  OpenImagesOptions options{
      .data = DataSource(data), .results = results, .hierarchy = hierarchy_, .image_labels = image_labels_};
  options.data.split = split_;
  const OpenImagesReport report = evaluate_open_images(options, threads);
  for (const std::string& note : report.notes) warn(note);
  if (json) return print_json(report);
  fmt::print("[INFO] evaluated by Open Images' rules on all {} images of the annotations: {} detections\n",
             count_text(static_cast<int64_t>(report.images)), count_text(static_cast<int64_t>(report.detections)));
  fmt::print(" Mean Average Precision (mAP) @[ IoU=0.50 | Open Images ] = {:0.3f}\n", report.mean_ap);
  if (!per_class) return;
  Table table;
  table.add({"category", "objects", "detections", "AP50"});
  for (const OpenImagesReport::Category& category : report.categories)
    table.add({one_line(category.name), fmt::format("{}", category.objects), fmt::format("{}", category.detections),
               ap_text(category.ap)});
  table.print();
}

}  // namespace effdet::cli
