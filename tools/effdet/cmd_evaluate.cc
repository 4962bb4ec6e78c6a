// evaluate: COCO numbers of a results file.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "analysis_text.h"
#include "cli.h"
#include "commands.h"
#include "comparison_text.h"
#include "dataset_options.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/paths.h"
#include "evaluation_options.h"
#include "open_images_command.h"
#include "progress.h"
#include "report/report_options.h"
#include "report/run_facts.h"

namespace effdet::cli {
namespace {

/// Which images the numbers are of.
std::string images_line(const Evaluation& evaluation, const EvaluateOptions& options) {
  const std::string detections = count_text(static_cast<int64_t>(evaluation.detections));
  const std::string images = count_text(static_cast<int64_t>(evaluation.images));
  const std::string all = count_text(static_cast<int64_t>(evaluation.all_images));
  const char* evaluated = options.rules == EvaluationRules::kLvis ? "evaluated by LVIS' rules" : "evaluated";
  if (options.only_images_with_results)
    return fmt::format("{} on the {} of {} images that have results: {} detections", evaluated, images, all,
                       detections);
  if (!options.images.empty())
    return fmt::format("{} on the {} of {} images that were chosen: {} detections", evaluated, images, all, detections);
  return fmt::format("{} on all {} images of the annotation file: {} detections", evaluated, images, detections);
}

std::string value_text(double value) { return value < 0 ? "-" : fmt::format("{:.3f}", value); }

void print_categories(const Evaluation& evaluation) {
  Table table;
  std::vector<std::string> heading = {"category", "objects", "detections", "AP", "AP50", "AP75"};
  for (size_t a = 1; a < evaluation.areas.size(); ++a) heading.push_back("AP " + one_line(evaluation.areas[a]));
  heading.emplace_back("AR");
  const bool has_frequencies = evaluation.rules == EvaluationRules::kLvis;
  if (has_frequencies) heading.emplace_back("frequency");
  table.add(heading);
  for (const Evaluation::CategoryAp& category : evaluation.categories) {
    std::vector<std::string> row = {category.name.empty() ? fmt::format("{}", category.id) : one_line(category.name),
                                    fmt::format("{}", category.objects),
                                    fmt::format("{}", category.detections),
                                    value_text(category.ap),
                                    value_text(category.ap50),
                                    value_text(category.ap75)};
    for (const double ap : category.area_ap) row.push_back(value_text(ap));
    row.push_back(value_text(category.ar));
    if (has_frequencies) row.emplace_back(1, category.frequency);
    table.add(std::move(row));
  }
  table.print();
}

void print_errors(const Evaluation::ErrorAnalysis& errors) {
  constexpr std::string_view kMeanings[] = {"another class", "box is off",       "class and box are wrong",
                                            "found twice",   "nothing is there", "not found"};
  fmt::print("\nWhat errors cost (TIDE, AP at IoU 0.50 of 100 detections an image: {:.3f})\n", errors.ap);
  Table table;
  table.add({"error", "AP", "number", "meaning"});
  for (size_t i = 0; i < errors.kinds.size(); ++i) {
    const auto& [name, cost, count] = errors.kinds[i];
    table.add({name, fmt::format("{:.4f}", cost), fmt::format("{}", count), std::string(kMeanings[i])});
  }
  table.add({"FalsePos", fmt::format("{:.4f}", errors.false_positives), "-", "all false positives"});
  table.add({"FalseNeg", fmt::format("{:.4f}", errors.false_negatives), "-", "all objects that were not found"});
  table.print();
}

/// The images of an annotation file lie where it is usual, unless the user knows better.
DataSource data_of(const std::string& annotations, const std::string& folder) {
  DataSource data;
  data.annotations = annotations;
  data.images = folder;
  return data;
}

EvaluationReport report_on(const std::string& annotations, const std::string& results, const EvaluateOptions& options,
                           const Evaluation& evaluation) {
  EvaluationReport report;
  report.title = "Evaluation of " + std::filesystem::path(results).filename().string();
  report.facts = machine_facts();
  add_file(report.facts, "Annotations", annotations);
  add_file(report.facts, "Results", results);
  if (options.comparison) {
    add_file(report.facts, "Against", options.comparison->against.string());
    report.facts.emplace_back("Resamples",
                              fmt::format("{}, seed {}", options.comparison->resamples, options.comparison->seed));
  }
  add_parameters(report.facts, options);
  report.evaluation = evaluation;
  return report;
}

}  // namespace

int run_evaluate(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Evaluates a COCO results file as pycocotools does, or lvis-api, on all images of the annotation file. Invalid "
      "boxes and annotations of categories that are not listed are skipped and counted.",
      "effdet evaluate coco_data/annotations/instances_val2017.json results.json --per-class --errors --report report\n"
      "effdet evaluate instances.json results.json --categories person,car --iou-thresholds 0.5 --max-dets 1,10,300\n"
      "effdet evaluate instances.json int8.json --against float.json --seed 1\n"
      "effdet evaluate open_images_data results.json --open-images --per-class");
  std::string annotations, results, image_folder;
  EvaluationOptions evaluation_options;
  ReportOptions report;
  OpenImagesCommand open_images;
  int threads = 0;
  bool json = false, per_class = false;
  line.add_option("annotations,--gt", annotations, "instances_*.json")->required()->type_name("FILE");
  line.add_option("results,--dt", results, "COCO results")->required()->type_name("FILE");
  evaluation_options.add_to(line);
  line.add_flag("--per-class", per_class, "also a table of the categories");
  report.add_to(line);
  line.add_option("--image-folder", image_folder, "where the images of the report lie; default: beside the annotations")
      ->needs("--report")
      ->type_name("DIR");
  line.add_threads(threads);
  line.add_json(json);
  open_images.add_to(line);
  if (!line.read()) return 0;
  if (!image_folder.empty() && !is_folder(image_folder))
    throw Error(ErrorCode::kIo, fmt::format("--image-folder: {}: no folder of that name", image_folder));
  if (open_images.given()) {
    open_images.run(annotations, results, threads, per_class, json);
    return 0;
  }
  EvaluateOptions options = evaluation_options.read(report.given());
  const bool shows_errors = options.error_analysis, shows_analysis = evaluation_options.shows_analysis();
  report.prepare(options.error_analysis, options.analysis);
  if (options.rules != EvaluationRules::kCoco) options.error_analysis = shows_errors;  // the page has what there is
  std::optional<StageBars> bars(std::in_place);
  options.progress = [&](std::string_view stage, size_t done, size_t total) { bars->update(stage, done, total); };
  Evaluation evaluation = evaluate_results(annotations, results, options, threads);
  bars.reset();  // the numbers take their place
  std::optional<EvaluationReport> about;
  if (report.given()) about = report_on(annotations, results, options, evaluation);
  if (!shows_errors) evaluation.errors = {};
  if (!shows_analysis) evaluation.analysis.reset();
  for (const std::string& note : evaluation.notes) warn(note);
  if (!json) fmt::print("[INFO] {}\n", images_line(evaluation, options));
  print_evaluation(evaluation, json);
  if (per_class && !json) print_categories(evaluation);
  if (shows_errors && !json) print_errors(evaluation.errors);
  if (shows_analysis && !json) print_analysis(evaluation, per_class);
  if (evaluation.comparison && !json) print_comparison(evaluation, per_class);
  if (about) report.write(std::move(*about), data_of(annotations, image_folder), json);
  return 0;
}

}  // namespace effdet::cli
