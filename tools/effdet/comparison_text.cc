// The numbers first, then what changed most: JSON has all.
#include "comparison_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "analysis_text.h"
#include "cli.h"

namespace effdet::cli {
namespace {

constexpr size_t kComparedRows = 10;

std::string defined_text(double value) { return value < 0 ? "-" : fmt::format("{:.3f}", value); }

std::string number_of(size_t count) { return count_text(static_cast<int64_t>(count)); }

std::vector<std::string> number_row(std::string name, const ComparedNumber& number) {
  return {
      std::move(name),       defined_text(number.value), defined_text(number.other), difference_text(number.difference),
      interval_text(number), better_text(number),        number_of(number.resamples)};
}

void print_metrics(const EvaluationComparison& comparison) {
  fmt::print("\nCompared with {} ({} detections): 95 % intervals of {} resamples of the images, seed {}\n",
             one_line(comparison.against), number_of(comparison.other_detections), number_of(comparison.resamples),
             comparison.seed);
  Table table;
  table.add({"number", "this", "other", "difference", "interval", "better in", "resamples"});
  for (const auto& [name, number] : comparison.metrics) table.add(number_row(one_line(name), number));
  table.print();
  const std::vector<std::string> undecided = undecided_metrics(comparison);
  if (!undecided.empty())
    fmt::print("The interval includes 0: {}. These images do not tell which of the two is better there.\n",
               fmt::join(undecided, ", "));
}

void print_changed_categories(const Evaluation& evaluation) {
  const EvaluationComparison& comparison = *evaluation.comparison;
  if (comparison.changed_categories.empty()) return;
  fmt::print("\nCategories whose AP changed most, of {} that changed\n", number_of(comparison.num_changed_categories));
  Table table;
  table.add({"category", "this", "other", "difference", "interval", "better in", "resamples"});
  for (size_t i = 0; i < std::min(comparison.changed_categories.size(), kComparedRows); ++i) {
    const size_t k = comparison.changed_categories[i];
    table.add(number_row(category_text(evaluation, k), comparison.categories[k].ap));
  }
  table.print();
  const auto is_rare = [&](size_t k) { return comparison.categories[k].ap.resamples < comparison.resamples; };
  if (std::ranges::any_of(comparison.changed_categories, is_rare))
    fmt::print("Not all resamples have the categories of few images, whose intervals are too narrow.\n");
}

void print_all_categories(const Evaluation& evaluation) {
  fmt::print("\nDifferences by category\n");
  Table table;
  std::vector<std::string> heading = {"category", "AP", "interval", "AP50", "interval", "AP75", "interval"};
  for (size_t a = 1; a < evaluation.areas.size(); ++a) {
    heading.push_back("AP " + one_line(evaluation.areas[a]));
    heading.emplace_back("interval");
  }
  heading.insert(heading.end(), {"AR", "interval"});
  table.add(std::move(heading));
  for (size_t k = 0; k < evaluation.comparison->categories.size(); ++k) {
    const EvaluationComparison::Category& category = evaluation.comparison->categories[k];
    std::vector<std::string> row = {category_text(evaluation, k)};
    const auto add = [&](const ComparedNumber& number) {
      row.push_back(difference_text(number.difference));
      row.push_back(interval_text(number));
    };
    add(category.ap);
    add(category.ap50);
    add(category.ap75);
    for (const ComparedNumber& number : category.area_ap) add(number);
    add(category.ar);
    table.add(std::move(row));
  }
  table.print();
}

void print_changed_images(const EvaluationComparison& comparison) {
  if (comparison.changed_images.empty()) return;
  fmt::print(
      "\nImages whose errors changed most, of {} that changed: at IoU {:.2f}, scores of at least {:.3f}, of the other "
      "{:.3f}\n",
      number_of(comparison.num_changed_images), comparison.iou_threshold, comparison.score_threshold,
      comparison.other_score_threshold);
  Table table;
  table.add({"image", "FP", "FN", "other FP", "other FN", "found", "lost"});
  for (size_t i = 0; i < std::min(comparison.changed_images.size(), kComparedRows); ++i) {
    const ChangedImage& image = comparison.changed_images[i];
    table.add({image_text(image.image), fmt::format("{}", image.counts.false_positives),
               fmt::format("{}", image.counts.false_negatives), fmt::format("{}", image.other.false_positives),
               fmt::format("{}", image.other.false_negatives), fmt::format("{}", image.found),
               fmt::format("{}", image.lost)});
  }
  table.print();
}

}  // namespace

std::string difference_text(double difference) {
  if (std::isnan(difference)) return "-";
  const std::string text = fmt::format("{:+.3f}", difference);
  return text == "+0.000" || text == "-0.000" ? "0.000" : text;
}

std::string interval_text(const ComparedNumber& number) {
  if (std::isnan(number.low)) return "-";
  return fmt::format("{} to {}", difference_text(number.low), difference_text(number.high));
}

std::string better_text(const ComparedNumber& number) {
  return std::isnan(number.better) ? "-" : fmt::format("{:.1f} %", 100 * number.better);
}

std::vector<std::string> undecided_metrics(const EvaluationComparison& comparison) {
  std::vector<std::string> names;
  for (const auto& [name, number] : comparison.metrics)
    if (number.includes_zero() && number.low < number.high) names.push_back(name);
  return names;
}

void print_comparison(const Evaluation& evaluation, bool per_class) {
  print_metrics(*evaluation.comparison);
  if (per_class) print_all_categories(evaluation);
  print_changed_categories(evaluation);
  print_changed_images(*evaluation.comparison);
}

}  // namespace effdet::cli
