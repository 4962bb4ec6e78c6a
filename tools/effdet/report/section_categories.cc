// The section with a row for each category. It can be read as it stands; the page's script lets people search and sort
// it, and enlarges the curve of a category.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli.h"
#include "report/line_chart.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

/// The columns after the category. Numbers that are not defined come last however the table is sorted.
std::vector<std::string> column_names(const Evaluation& evaluation) {
  std::vector<std::string> names = {"objects", "detections", "AP", "AP50", "AP75"};
  for (size_t a = 1; a < evaluation.areas.size(); ++a) names.push_back("AP " + evaluation.areas[a]);
  names.emplace_back("AR");
  if (evaluation.analysis)
    for (const char* name : {"best F1", "at score", "ECE"}) names.emplace_back(name);
  return names;
}

std::string number_cells(const Evaluation& evaluation, size_t index) {
  const Evaluation::CategoryAp& category = evaluation.categories[index];
  std::vector<std::string> cells = {count_text(static_cast<int64_t>(category.objects)),
                                    count_text(static_cast<int64_t>(category.detections)), score_text(category.ap),
                                    score_text(category.ap50), score_text(category.ap75)};
  for (const double ap : category.area_ap) cells.push_back(score_text(ap));
  cells.push_back(score_text(category.ar));
  if (evaluation.analysis && index < evaluation.analysis->categories.size()) {
    const auto& [curve, calibration] = evaluation.analysis->categories[index];
    cells.push_back(score_text(curve.best ? curve.best->f1 : -1));
    cells.push_back(score_text(curve.best ? curve.best->threshold : -1));
    cells.push_back(score_text(calibration.ece));
  }
  std::string html;
  for (const std::string& cell : cells) html += fmt::format("<td>{}</td>", cell);
  return html;
}

/// A curve in a square of 100, from the top; points between equal ones are left out.
std::string spark_line(const PrecisionCurves& curves, size_t category, size_t iou, std::string_view style) {
  constexpr size_t kStep = 4;
  const size_t count = curves.recall_thresholds.size();
  const auto y = [&](size_t r) {
    return std::lround(100 * (1 - std::clamp(curves.at(category, 0, iou, r), 0.0, 1.0)));
  };
  std::string points;
  for (size_t r = 0; r < count; r += kStep) {
    if (r >= kStep && r + kStep < count && y(r) == y(r - kStep) && y(r) == y(r + kStep)) continue;
    points += fmt::format("{}{},{}", points.empty() ? "" : " ", std::lround(100 * curves.recall_thresholds[r]), y(r));
  }
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>", style, points);
}

/// The IoU thresholds 0.5 and 0.75 where they are there, or those nearest to them.
std::vector<size_t> shown_ious(const PrecisionCurves& curves) {
  std::vector<size_t> ious;
  for (const double wanted : {0.5, 0.75}) {
    const auto nearest =
        std::ranges::min_element(curves.iou_thresholds, {}, [&](double iou) { return std::abs(iou - wanted); });
    if (nearest == curves.iou_thresholds.end()) continue;
    const auto index = static_cast<size_t>(nearest - curves.iou_thresholds.begin());
    if (std::ranges::find(ious, index) == ious.end()) ious.push_back(index);
  }
  return ious;
}

std::string spark(const PrecisionCurves& curves, const std::vector<size_t>& ious, size_t category) {
  if (ious.empty() || category >= curves.num_categories || curves.at(category, 0, ious[0], 0) < 0) return "<td>–</td>";
  std::string html =
      "<td class=\"spark\"><svg class=\"chart\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" "
      "aria-hidden=\"true\">";
  for (size_t i = 0; i < ious.size(); ++i) html += spark_line(curves, category, ious[i], i == 0 ? "c0" : "c1");
  return html + "</svg></td>";
}

/// The plane into which the script draws the curves of the category that is chosen.
Svg category_chart(const Evaluation& evaluation, const std::vector<size_t>& ious, size_t category) {
  const PrecisionCurves& curves = evaluation.analysis->precision;
  LineChart chart{.title = "Precision and recall of one category",
                  .description = "The curves of the category that is chosen below.",
                  .x = {.name = "recall"},
                  .y = {.name = "precision"},
                  .curves = {}};
  for (const size_t iou : ious) {
    LineChart::Curve curve{fmt::format("IoU {:.2f}", curves.iou_thresholds[iou]), {}};
    for (size_t r = 0; r < curves.recall_thresholds.size(); ++r)
      curve.points.push_back({curves.recall_thresholds[r], std::max(curves.at(category, 0, iou, r), 0.0)});
    chart.curves.push_back(std::move(curve));
  }
  return line_chart(chart);
}

std::string one_category(const Evaluation& evaluation, const std::vector<size_t>& ious) {
  const PrecisionCurves& curves = evaluation.analysis->precision;
  for (size_t k = 0; k < std::min(curves.num_categories, evaluation.categories.size()); ++k)
    if (curves.at(k, 0, ious[0], 0) >= 0)
      return fmt::format("<figure id=\"category-figure\">{}<figcaption>{}</figcaption></figure>\n",
                         category_chart(evaluation, ious, k).markup(), xml_text(category_label(evaluation, k)));
  return "";
}

}  // namespace

Section categories_section(const EvaluationReport& report) {
  const Evaluation& evaluation = report.evaluation;
  if (evaluation.categories.empty()) return {"categories", "Categories"};
  const std::vector<size_t> ious =
      evaluation.analysis ? shown_ious(evaluation.analysis->precision) : std::vector<size_t>();
  std::string table = fmt::format(
      "<table class=\"sortable\" id=\"category-table\">\n<caption>{} categories. AP is over the IoU thresholds; best "
      "F1 is at IoU "
      "{:.2f}, at the score beside it. ECE is the calibration error of scores.</caption>\n<thead><tr><th "
      "scope=\"col\">category</th>",
      count_text(static_cast<int64_t>(evaluation.categories.size())),
      evaluation.analysis ? evaluation.analysis->iou_threshold : 0.5);
  for (const std::string& name : column_names(evaluation))
    table += fmt::format("<th scope=\"col\">{}</th>", xml_text(name));
  if (!ious.empty()) table += "<th scope=\"col\" class=\"unsorted\">precision by recall</th>";
  table += "</tr></thead>\n<tbody>\n";
  for (size_t k = 0; k < evaluation.categories.size(); ++k) {
    table += fmt::format("<tr><th scope=\"row\">{}</th>", xml_text(category_label(evaluation, k))) +
             number_cells(evaluation, k);
    if (!ious.empty()) table += spark(evaluation.analysis->precision, ious, k);
    table += "</tr>\n";
  }
  table += "</tbody></table>\n";
  return {"categories", "Categories",
          (ious.empty() ? "" : one_category(evaluation, ious)) +
              fmt::format("<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Table of "
                          "categories\">\n{}</div>\n",
                          table)};
}

}  // namespace effdet::cli
