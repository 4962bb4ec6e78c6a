// The section with sizes of objects.
#include <fmt/format.h>

#include <cmath>

#include "cli.h"
#include "report/bar_chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace effdet::cli {
namespace {

std::string range_text(const SizeBucket& bucket) {
  if (std::isinf(bucket.high_side)) return fmt::format("{:g} and above", bucket.low_side);
  return fmt::format("{:g} to {:g}", bucket.low_side, bucket.high_side);
}

double found_share(const SizeBucket& bucket) {
  return bucket.objects == 0 ? -1 : static_cast<double>(bucket.found) / static_cast<double>(bucket.objects);
}

}  // namespace

Section sizes_section(const EvaluationReport& report) {
  Section section{"sizes", "Sizes of objects"};
  if (!report.evaluation.analysis || report.evaluation.analysis->sizes.empty()) return section;
  const EvaluationAnalysis& analysis = *report.evaluation.analysis;
  BarChart chart{.title = "AP by size of objects",
                 .description = "A bar for each range of sizes. Labels are square roots of areas in pixels.",
                 .axis = {.name = "AP; sizes are square roots of areas in pixels", .high = 1},
                 .bars = {},
                 .plot_width = 220};
  std::string table =
      fmt::format("<table>\n<caption>Found: at IoU {:.2f}, with a score of at least {:.3f}.</caption>\n",
                  analysis.iou_threshold, analysis.score_threshold) +
      html_head({"side in pixels", "objects", "found", "share", "AP", "AR"}) + "<tbody>\n";
  for (const SizeBucket& bucket : analysis.sizes) {
    chart.bars.push_back({range_text(bucket), std::max(bucket.ap, 0.0), score_text(bucket.ap)});
    table += "<tr>" + html_row_name(range_text(bucket)) + html_cell(count_text(static_cast<int64_t>(bucket.objects))) +
             html_cell(count_text(static_cast<int64_t>(bucket.found))) + html_cell(share_text(found_share(bucket))) +
             html_cell(score_text(bucket.ap)) + html_cell(score_text(bucket.ar)) + "</tr>\n";
  }
  section.markup = "<div class=\"plots\">\n" + section.figure("ap_by_size", bar_chart(chart)) + "<div>" +
                   html_scroll("Table of sizes", table + "</tbody></table>\n") + "</div></div>\n";
  return section;
}

}  // namespace effdet::cli
