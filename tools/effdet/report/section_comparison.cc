// The section with the differences from other results: numbers, categories, images.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli.h"
#include "comparison_text.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/whisker_chart.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostWhiskers = 20, kLongestName = 24;

std::string with_blanks(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

/// "–" where there is no interval, as where other numbers are not defined.
std::string cell_text(std::string text) { return text == "-" ? "–" : std::move(text); }

std::string difference_cells(const ComparedNumber& number) {
  return html_cell(score_text(number.value)) + html_cell(score_text(number.other)) +
         html_cell(cell_text(difference_text(number.difference))) + html_cell(cell_text(interval_text(number))) +
         html_cell(cell_text(better_text(number)));
}

void add_whiskers(WhiskerChart& chart, const std::string& label, const ComparedNumber& number) {
  if (std::isnan(number.low)) return;
  chart.rows.push_back({shortened_to(label, kLongestName), number.low, number.difference, number.high,
                        difference_text(number.difference)});
}

class ComparisonMarkup {
 public:
  ComparisonMarkup(const EvaluationReport& report, Section& section)
      : evaluation_(report.evaluation), comparison_(*report.evaluation.comparison), section_(section) {}

  void write() {
    section_.markup = lead();
    section_.markup += numbers();
    section_.markup += categories();
    section_.markup += images();
  }

 private:
  std::string lead() const {
    const std::vector<std::string> undecided = undecided_metrics(comparison_);
    std::string html = fmt::format(
        "<p>Compared with <b>{}</b>, {} detections, on the same images. A difference above 0 means that these results "
        "are better. Intervals are 95 % confidence intervals of {} bootstrap resamples of the images.</p>\n",
        xml_text(comparison_.against), count_text(static_cast<int64_t>(comparison_.other_detections)),
        count_text(static_cast<int64_t>(comparison_.resamples)));
    if (!undecided.empty())
      html += fmt::format(
          "<p>The interval includes 0: {}. These images do not tell which of the two is better there.</p>\n",
          xml_text(with_blanks(fmt::format("{}", fmt::join(undecided, ", ")))));
    return html;
  }

  std::string numbers() {
    WhiskerChart chart{.title = "Differences of the numbers",
                       .description =
                           "A row for each number: its difference from the other results, and the interval. "
                           "The table has the same.",
                       .axis = "difference, with its 95 % interval",
                       .rows = {}};
    std::string table =
        "<table>\n<caption>Better in: share of the resamples in which the difference is above 0.</caption>\n" +
        html_head({"number", "this", "other", "difference", "interval", "better in"}) + "<tbody>\n";
    for (const auto& [name, number] : comparison_.metrics) {
      add_whiskers(chart, with_blanks(name), number);
      table += "<tr>" + html_row_name(with_blanks(name)) + difference_cells(number) + "</tr>\n";
    }
    return side_by_side("differences", chart, "Table of differences", table + "</tbody></table>\n");
  }

  std::string categories() {
    if (comparison_.changed_categories.empty()) return "<p>AP of no category changed.</p>\n";
    WhiskerChart chart{.title = "Categories whose AP changed most",
                       .description =
                           "A row for each category: the difference of its AP, and the interval. "
                           "The table has the same.",
                       .axis = "difference of AP, with its 95 % interval",
                       .rows = {}};
    std::string table = "<table>\n<caption>AP of each category, the largest differences first.</caption>\n" +
                        html_head({"category", "this", "other", "difference", "interval", "better in"}) + "<tbody>\n";
    for (const size_t k : comparison_.changed_categories) {
      const ComparedNumber& ap = comparison_.categories[k].ap;
      if (chart.rows.size() < kMostWhiskers) add_whiskers(chart, category_label(evaluation_, k), ap);
      table += "<tr>" + html_row_name(category_label(evaluation_, k)) + difference_cells(ap) + "</tr>\n";
    }
    const bool is_cut = comparison_.changed_categories.size() < comparison_.num_changed_categories;
    return fmt::format("<h3>Categories</h3>\n<p>AP of {} categories changed{}.</p>\n",
                       count_text(static_cast<int64_t>(comparison_.num_changed_categories)),
                       is_cut ? fmt::format("; the first {} are here", comparison_.changed_categories.size()) : "") +
           side_by_side("category_differences", chart, "Table of categories that changed",
                        table + "</tbody></table>\n");
  }

  std::string images() const {
    if (comparison_.changed_images.empty()) return "<p>No image changed at the score thresholds.</p>\n";
    std::string table = fmt::format(
        "<table>\n<caption>At IoU {:.2f}, scores of at least {:.3f}, of the other {:.3f}. Found: objects that these "
        "results alone find; lost: that only the others find.</caption>\n",
        comparison_.iou_threshold, comparison_.score_threshold, comparison_.other_score_threshold);
    table += html_head({"image", "false positives", "missed objects", "other: false positives", "other: missed objects",
                        "found", "lost"}) +
             "<tbody>\n";
    for (const ChangedImage& image : comparison_.changed_images) {
      table += "<tr>" + html_row_name(image.image.file_name.empty() ? image.image.id : image.image.file_name);
      for (const size_t count : {image.counts.false_positives, image.counts.false_negatives,
                                 image.other.false_positives, image.other.false_negatives, image.found, image.lost})
        table += html_cell(fmt::format("{}", count));
      table += "</tr>\n";
    }
    return fmt::format("<h3>Images</h3>\n<p>{} images changed; those whose errors changed most are here.</p>\n",
                       count_text(static_cast<int64_t>(comparison_.num_changed_images))) +
           html_scroll("Table of images that changed", table + "</tbody></table>\n");
  }

  std::string side_by_side(const std::string& name, const WhiskerChart& chart, std::string_view region,
                           const std::string& table) {
    return "<div class=\"plots\">\n" + section_.figure(name, whisker_chart(chart)) + "<div>" +
           fmt::format("<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n{}</div>\n",
                       region, table) +
           "</div></div>\n";
  }

  const Evaluation& evaluation_;
  const EvaluationComparison& comparison_;
  Section& section_;
};

}  // namespace

Section comparison_section(const EvaluationReport& report) {
  Section section{"comparison", "Comparison"};
  if (report.evaluation.comparison) ComparisonMarkup(report, section).write();
  return section;
}

}  // namespace effdet::cli
