// The section with how far scores can be trusted: reliability diagram and calibration error.
#include <fmt/format.h>

#include <algorithm>

#include "cli.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace effdet::cli {
namespace {

constexpr double kDiagramTop = 34, kDiagramHeight = 230, kCountsHeight = 50, kDiagramLeft = 52, kDiagramEdge = 14;

/// Bars of precision by score below a diagonal of perfect calibration, and below them how many detections each is of.
Svg reliability_diagram(const Calibration& calibration) {
  const std::vector<KeyEntry> key = {{"c0", "precision of these detections"}, {"c1", "their mean score", true}};
  const double bottom = kDiagramTop + kDiagramHeight, counts = bottom + 60, key_top = counts + kCountsHeight + 10;
  const double key_width = kChartWidth - 2 * kDiagramEdge, height = key_top + key_height(key, key_width) + 8;
  Svg svg(
      kChartWidth, height, chart_css(), "Reliability diagram",
      fmt::format("Precision of detections by their score, in {} bins; perfectly calibrated scores would lie on the "
                  "diagonal. {}.",
                  calibration.bins.size(),
                  calibration.ece < 0 ? "There are no detections"
                                      : fmt::format("The calibration error is {:.3f}", calibration.ece)));
  svg.rectangle({}, kChartWidth, height, "paper");
  svg.text({kDiagramEdge, 20}, "Reliability diagram", "title");
  const Plot plot(svg, {kDiagramLeft, kDiagramTop, kChartWidth - kDiagramEdge, bottom}, {.name = "score"},
                  {.name = "precision"});
  size_t largest = 1;
  for (const Calibration::Bin& bin : calibration.bins) largest = std::max(largest, bin.count);
  const double step = 1.0 / static_cast<double>(calibration.bins.size());
  for (size_t i = 0; i < calibration.bins.size(); ++i) {
    const Calibration::Bin& bin = calibration.bins[i];
    if (bin.count == 0) continue;
    const double low = step * static_cast<double>(i);
    const Point corner = plot.at(low, bin.precision), end = plot.at(low + step, 0);
    svg.rectangle({corner.x + 1, corner.y}, end.x - corner.x - 2, end.y - corner.y, "c0", 0.8);
    svg.line(plot.at(low, bin.mean_score), plot.at(low + step, bin.mean_score), "key c1");
    const double size = kCountsHeight * static_cast<double>(bin.count) / static_cast<double>(largest);
    svg.rectangle({corner.x + 1, counts + kCountsHeight - size}, end.x - corner.x - 2, size, "c7");
  }
  svg.line(plot.at(0, 0), plot.at(1, 1), "diagonal");
  svg.text({kDiagramLeft, counts - 8}, fmt::format("detections, at most {}", count_text(static_cast<int64_t>(largest))),
           "");
  draw_key(svg, {kDiagramEdge, key_top}, key_width, key);
  return svg;
}

std::string table_of(const Calibration& calibration) {
  std::string html = "<table>\n<caption>The numbers of the diagram</caption>\n" +
                     html_head({"score", "detections", "mean score", "precision"}) + "<tbody>\n";
  const double step = 1.0 / static_cast<double>(calibration.bins.size());
  for (size_t i = 0; i < calibration.bins.size(); ++i) {
    const Calibration::Bin& bin = calibration.bins[i];
    const auto value = [&](double number) { return score_text(bin.count > 0 ? number : -1); };
    html += "<tr>" +
            html_row_name(
                fmt::format("{:.4g} to {:.4g}", step * static_cast<double>(i), step * static_cast<double>(i + 1))) +
            html_cell(count_text(static_cast<int64_t>(bin.count))) + html_cell(value(bin.mean_score)) +
            html_cell(value(bin.precision)) + "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

}  // namespace

Section calibration_section(const EvaluationReport& report) {
  Section section{"calibration", "Calibration of scores"};
  if (!report.evaluation.analysis || report.evaluation.analysis->all.calibration.bins.empty()) return section;
  const Calibration& calibration = report.evaluation.analysis->all.calibration;
  section.markup =
      fmt::format(
          "<p>Expected calibration error (ECE): <strong>{}</strong>; largest of a bin: {}. A detection with score 0.8 "
          "should be right in 80 % of all cases, at IoU {:.2f}.{}</p>\n",
          score_text(calibration.ece), score_text(calibration.mce), report.evaluation.analysis->iou_threshold,
          calibration.outside == 0 ? std::string()
                                   : fmt::format(" {} detections have scores outside of 0 to 1, which do not count.",
                                                 count_text(static_cast<int64_t>(calibration.outside)))) +
      "<div class=\"plots\">\n" + section.figure("reliability", reliability_diagram(calibration)) + "<div>" +
      html_scroll("Table of calibration", table_of(calibration)) + "</div></div>\n";
  return section;
}

}  // namespace effdet::cli
