// A table for each part of the analysis, the worst first and few of them: JSON has all.
#include "analysis_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cli.h"

namespace effdet::cli {
namespace {

constexpr size_t kRows = 10, kRowsOfAKind = 5;

std::string number_text(double value) { return value < 0 ? "-" : fmt::format("{:.3f}", value); }

std::string count_text_of(size_t count) { return count_text(static_cast<int64_t>(count)); }

void print_threshold(const EvaluationAnalysis& analysis) {
  const OperatingPoint& point = analysis.all.curve.chosen;
  fmt::print("\nAt scores of at least {:.3f}{}, IoU {:.2f}: precision {}, recall {}, F1 {} (TP {}, FP {}, FN {})\n",
             point.threshold, analysis.is_best_threshold ? ", where F1 is best" : "", analysis.iou_threshold,
             number_text(point.precision), number_text(point.recall), number_text(point.f1),
             count_text_of(point.true_positives), count_text_of(point.false_positives),
             count_text_of(point.false_negatives));
}

/// The categories with objects or detections, lowest best F1 first; or all of them in order.
std::vector<size_t> listed_categories(const EvaluationAnalysis& analysis, bool per_class) {
  std::vector<size_t> order(analysis.categories.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (per_class) return order;
  const auto f1 = [&](size_t k) {
    const ScoreCurve& curve = analysis.categories[k].curve;
    return curve.best ? curve.best->f1 : 0;
  };
  std::erase_if(order, [&](size_t k) { return analysis.categories[k].curve.f1.front() < 0; });
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return f1(a) < f1(b); });
  order.resize(std::min(order.size(), kRows));
  return order;
}

void print_best_thresholds(const Evaluation& evaluation, bool per_class) {
  const EvaluationAnalysis& analysis = *evaluation.analysis;
  fmt::print("\nScore threshold with the best F1{}\n", per_class ? "" : ": the categories with the lowest");
  Table table;
  table.add({"category", "score", "precision", "recall", "F1", "ECE"});
  const auto add = [&](const std::string& name, const CategoryAnalysis& category) {
    const OperatingPoint point = category.curve.best.value_or(OperatingPoint{});
    table.add({name, category.curve.best ? fmt::format("{:.3f}", point.threshold) : "-", number_text(point.precision),
               number_text(point.recall), number_text(point.f1), number_text(category.calibration.ece)});
  };
  add("(all)", analysis.all);
  for (const size_t k : listed_categories(analysis, per_class))
    add(category_text(evaluation, k), analysis.categories[k]);
  table.print();
}

void print_calibration(const Calibration& calibration) {
  fmt::print("\nCalibration of scores: ECE {}, MCE {}\n", number_text(calibration.ece), number_text(calibration.mce));
  Table table;
  table.add({"scores to", "detections", "mean score", "precision"});
  for (size_t i = 0; i < calibration.bins.size(); ++i) {
    const auto& [count, mean_score, precision] = calibration.bins[i];
    const double high = static_cast<double>(i + 1) / static_cast<double>(calibration.bins.size());
    table.add({fmt::format("{:.2f}", high), fmt::format("{}", count), count == 0 ? "-" : number_text(mean_score),
               count == 0 ? "-" : number_text(precision)});
  }
  table.print();
}

void print_confusions(const Evaluation& evaluation) {
  const auto& pairs = evaluation.analysis->confusion.most_confused;
  if (pairs.empty()) return;
  fmt::print("\nCategories that are confused most\n");
  Table table;
  table.add({"labelled", "detected as", "number"});
  for (size_t i = 0; i < std::min(pairs.size(), kRows); ++i)
    table.add({category_text(evaluation, pairs[i].actual), category_text(evaluation, pairs[i].predicted),
               fmt::format("{}", pairs[i].count)});
  table.print();
}

void print_label_errors(const Evaluation& evaluation) {
  const LabelErrors& errors = evaluation.analysis->label_errors;
  fmt::print("\nSuspected label errors: {} missing boxes, {} wrong categories, {} objects that nothing found\n",
             errors.num_missing_boxes, errors.num_wrong_categories, errors.num_never_found);
  Table table;
  table.add({"suspicion", "image", "box", "category", "score"});
  const auto add = [&](const char* suspicion, const std::vector<LabelError>& list) {
    for (size_t i = 0; i < std::min(list.size(), kRowsOfAKind); ++i) {
      const LabelError& error = list[i];
      const auto& [left, top, width, height] = error.box;
      std::string category = category_text(evaluation, error.category);
      if (&list == &errors.wrong_categories)
        category += fmt::format(", labelled {}", category_text(evaluation, error.labelled));
      table.add({suspicion, image_text(error.image),
                 fmt::format("{:.0f},{:.0f} {:.0f}x{:.0f}", left, top, width, height), category,
                 &list == &errors.never_found ? "-" : fmt::format("{:.3f}", error.score)});
    }
  };
  add("missing box", errors.missing_boxes);
  add("wrong category", errors.wrong_categories);
  add("never found", errors.never_found);
  if (errors.num_missing_boxes + errors.num_wrong_categories + errors.num_never_found > 0) table.print();
}

void print_worst_images(const std::vector<WorstImage>& images) {
  if (images.empty()) return;
  fmt::print("\nImages with the most errors\n");
  Table table;
  table.add({"image", "TP", "FP", "FN", "F1"});
  for (size_t i = 0; i < std::min(images.size(), kRows); ++i)
    table.add({image_text(images[i].image), fmt::format("{}", images[i].true_positives),
               fmt::format("{}", images[i].false_positives), fmt::format("{}", images[i].false_negatives),
               number_text(images[i].f1)});
  table.print();
}

void print_sizes(const std::vector<SizeBucket>& sizes) {
  fmt::print("\nObjects by size: square root of the area, in pixels\n");
  Table table;
  table.add({"from", "below", "objects", "found", "AP", "AR"});
  for (const SizeBucket& size : sizes)
    table.add({fmt::format("{:g}", size.low_side),
               std::isinf(size.high_side) ? "-" : fmt::format("{:g}", size.high_side), fmt::format("{}", size.objects),
               fmt::format("{}", size.found), number_text(size.ap), number_text(size.ar)});
  table.print();
}

}  // namespace

std::string category_text(const Evaluation& evaluation, size_t index) {
  if (index >= evaluation.categories.size()) return "(background)";
  const auto& category = evaluation.categories[index];
  return category.name.empty() ? fmt::format("{}", category.id) : one_line(category.name);
}

std::string image_text(const AnalysedImage& image) {
  return one_line(image.file_name.empty() ? image.id : image.file_name);
}

void print_analysis(const Evaluation& evaluation, bool per_class) {
  const EvaluationAnalysis& analysis = *evaluation.analysis;
  print_threshold(analysis);
  print_best_thresholds(evaluation, per_class);
  print_sizes(analysis.sizes);
  print_calibration(analysis.all.calibration);
  print_confusions(evaluation);
  print_label_errors(evaluation);
  print_worst_images(analysis.worst_images);
}

}  // namespace effdet::cli
