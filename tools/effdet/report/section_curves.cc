// The section with precision against recall, by IoU, size and category, and with precision, recall and F1 against the
// score threshold.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/line_chart.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostCurves = 8, kMostIous = 10, kLongestCurveName = 20;

LineChart recall_chart(std::string title, std::string description) {
  return {.title = std::move(title),
          .description = std::move(description),
          .x = {.name = "recall"},
          .y = {.name = "precision"},
          .curves = {}};
}

std::vector<Point> points_of(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<Point> points;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
    if (y[i] >= 0) points.push_back({x[i], y[i]});
  return points;
}

/// The area below, as AP has it: the mean precision.
double mean_of(const std::vector<double>& values) {
  return values.empty() ? -1 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Svg chart_by_iou(const PrecisionCurves& curves) {
  LineChart chart = recall_chart("Precision and recall by IoU",
                                 "A curve for each IoU threshold, from the loosest to the strictest: the mean over "
                                 "categories, at all sizes.");
  chart.is_ramp = true;
  const size_t count = curves.iou_thresholds.size(), step = (count + kMostIous - 1) / kMostIous;
  for (size_t t = 0; t < count; t += std::max<size_t>(step, 1)) {
    const std::vector<double> precision = curves.mean(0, t);
    chart.curves.push_back({fmt::format("IoU {:.2f}: {}", curves.iou_thresholds[t], score_text(mean_of(precision))),
                            points_of(curves.recall_thresholds, precision)});
  }
  return line_chart(chart);
}

Svg chart_by_size(const PrecisionCurves& curves, size_t iou) {
  LineChart chart = recall_chart(
      fmt::format("Precision and recall by size, IoU {:.2f}", curves.iou_thresholds[iou]),
      "A curve for each range of sizes of objects: the mean over categories that have objects of such a size.");
  for (size_t a = 0; a < std::min(curves.areas.size(), kMostCurves); ++a) {
    const std::vector<double> precision = curves.mean(a, iou);
    chart.curves.push_back(
        {fmt::format("{}: {}", shortened_to(curves.areas[a], kLongestCurveName), score_text(mean_of(precision))),
         points_of(curves.recall_thresholds, precision)});
  }
  return line_chart(chart);
}

Svg chart_by_category(const Evaluation& evaluation, const PrecisionCurves& curves, size_t iou) {
  std::vector<size_t> order(std::min(curves.num_categories, evaluation.categories.size()));
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](size_t k) { return evaluation.categories[k].objects; });
  order.resize(std::min(order.size(), kMostCurves));
  LineChart chart =
      recall_chart(fmt::format("Precision and recall by category, IoU {:.2f}", curves.iou_thresholds[iou]),
                   "The categories with most objects; the table of categories has a curve for each.");
  for (const size_t k : order) {
    std::vector<double> precision;
    for (size_t r = 0; r < curves.recall_thresholds.size(); ++r) precision.push_back(curves.at(k, 0, iou, r));
    chart.curves.push_back({shortened_to(category_label(evaluation, k), kLongestCurveName),
                            points_of(curves.recall_thresholds, precision)});
  }
  return line_chart(chart);
}

/// How the categories' numbers are spread: each of them sorted on its own.
Svg chart_of_categories(const Evaluation& evaluation) {
  LineChart chart{.title = "Categories, best first",
                  .description = "AP, AP50 and best F1 of the categories, each sorted from the best to the worst.",
                  .x = {.name = "share of the categories", .percent = true},
                  .y = {.name = "AP, F1"},
                  .curves = {}};
  const auto add = [&](const char* name, std::vector<double> values) {
    std::erase_if(values, [](double value) { return value < 0; });
    std::ranges::sort(values, std::greater{});
    LineChart::Curve curve{name, {}};
    const auto count = static_cast<double>(values.size());
    for (size_t i = 0; i < values.size(); ++i)  // a step for each
      for (const size_t end : {i, i + 1}) curve.points.push_back({static_cast<double>(end) / count, values[i]});
    chart.curves.push_back(std::move(curve));
  };
  std::vector<double> ap, ap50, f1;
  for (const auto& category : evaluation.categories) {
    ap.push_back(category.ap);
    ap50.push_back(category.ap50);
  }
  for (const auto& category : evaluation.analysis->categories)
    if (category.curve.best) f1.push_back(category.curve.best->f1);
  add("AP", std::move(ap));
  add("AP50", std::move(ap50));
  add("best F1", std::move(f1));
  return line_chart(chart);
}

Svg chart_by_threshold(const EvaluationAnalysis& analysis) {
  const ScoreCurve& curve = analysis.all.curve;
  LineChart chart{.title = "Precision, recall and F1 by score threshold",
                  .description = "Of all categories together. The dotted line is where F1 is largest.",
                  .x = {.name = "score threshold"},
                  .y = {.name = "share"},
                  .curves = {{"F1", points_of(analysis.thresholds, curve.f1)},
                             {"precision", points_of(analysis.thresholds, curve.precision)},
                             {"recall", points_of(analysis.thresholds, curve.recall)}}};
  if (!analysis.thresholds.empty()) {
    chart.x.low = analysis.thresholds.front();
    chart.x.high = std::max(analysis.thresholds.back(), chart.x.low + 1e-9);
  }
  if (curve.best)
    chart.marks.push_back(
        {curve.best->threshold, fmt::format("F1 {:.3f} at {:.3f}", curve.best->f1, curve.best->threshold)});
  return line_chart(chart);
}

std::string threshold_sentence(const EvaluationAnalysis& analysis) {
  const auto& best = analysis.all.curve.best;
  if (!best) return "<p>No detection finds an object at this IoU.</p>\n";
  return fmt::format(
      "<p>Best score threshold of all categories together, at IoU {:.2f}: <strong>{:.3f}</strong>, with F1 {}, "
      "precision {} "
      "and recall {}. The table of categories has that of each.</p>\n",
      analysis.iou_threshold, best->threshold, score_text(best->f1), score_text(best->precision),
      score_text(best->recall));
}

}  // namespace

Section curves_section(const EvaluationReport& report) {
  if (!report.evaluation.analysis) return {"curves", "Curves"};
  const EvaluationAnalysis& analysis = *report.evaluation.analysis;
  const PrecisionCurves& curves = analysis.precision;
  Section section{"curves", "Curves"};
  section.markup = threshold_sentence(analysis) + "<div class=\"plots\">\n" +
                   section.figure("f1_by_threshold", chart_by_threshold(analysis));
  if (!curves.iou_thresholds.empty() && !curves.areas.empty()) {
    const auto half =
        std::ranges::min_element(curves.iou_thresholds, {}, [](double iou) { return std::abs(iou - 0.5); });
    const auto iou = static_cast<size_t>(half - curves.iou_thresholds.begin());
    section.markup += section.figure("pr_by_iou", chart_by_iou(curves));
    section.markup += section.figure("pr_by_size", chart_by_size(curves, iou));
    section.markup += section.figure("pr_by_category", chart_by_category(report.evaluation, curves, iou));
    section.markup += section.figure("categories", chart_of_categories(report.evaluation));
  }
  section.markup +=
      "</div>\n<p class=\"small\">The numbers beside IoUs and sizes are the areas below the curves.</p>\n";
  return section;
}

}  // namespace effdet::cli
