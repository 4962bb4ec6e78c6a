// The section with what each kind of error costs.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cli.h"
#include "report/bar_chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace effdet::cli {
namespace {

/// In the order of Evaluation::ErrorAnalysis::kinds.
constexpr std::array<std::string_view, 6> kMeanings = {"another class", "box is off",       "class and box are wrong",
                                                       "found twice",   "nothing is there", "not found"};

}  // namespace

Section errors_section(const EvaluationReport& report) {
  const Evaluation::ErrorAnalysis& errors = report.evaluation.errors;
  Section section{"errors", "Kinds of errors"};
  if (errors.kinds.empty()) return section;
  BarChart chart{.title = "What errors cost (TIDE)",
                 .description = "A bar for each kind of error: how much AP at IoU 0.50 would be gained without it.",
                 .axis = {.name = "AP at IoU 0.50 that would be gained", .high = 0},
                 .bars = {}};
  std::string table = "<table>\n<caption>AP is 0 to 1, at IoU 0.50, as tidecv 1.0.1 defines the kinds.</caption>\n" +
                      html_head({"error", "costs AP", "number", "meaning"}) + "<tbody>\n";
  const auto row = [&](std::string_view name, double cost, std::string_view count, std::string_view meaning) {
    table += "<tr>" + html_row_name(name) + html_cell(fmt::format("{:.4f}", cost)) + html_cell(count) +
             html_words(meaning) + "</tr>\n";
  };
  for (size_t i = 0; i < errors.kinds.size(); ++i) {
    const auto& [name, cost, count] = errors.kinds[i];
    const std::string meaning(i < kMeanings.size() ? kMeanings[i] : "");
    chart.bars.push_back({fmt::format("{}: {}", name, meaning), cost, fmt::format("{:.4f}", cost)});
    row(name, cost, count_text(static_cast<int64_t>(count)), meaning);
  }
  row("FalsePos", errors.false_positives, "", "all false positives");
  row("FalseNeg", errors.false_negatives, "", "all objects that were not found");
  section.markup =
      fmt::format(
          "<p>AP at IoU 0.50, of the 100 best detections of an image in all categories together: "
          "<strong>{:.3f}</strong>. A cost is what AP would gain if only that kind of error were mended, so costs "
          "do not add up.</p>\n",
          errors.ap) +
      "<div class=\"plots\">\n" + section.figure("errors", bar_chart(chart)) + "<div>" +
      html_scroll("Table of errors", table + "</tbody></table>\n") + "</div></div>\n";
  return section;
}

}  // namespace effdet::cli
