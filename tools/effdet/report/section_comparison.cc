// The section with the differences from other results: numbers, categories, images.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli.h"
#include "comparison_text.h"
#include "report/html.h"
#include "report/picture.h"
#include "report/sections.h"
#include "report/whisker_chart.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostWhiskers = 20, kLongestCategoryLabel = 24, kMostChangedPictures = 6;

struct ChangeText {
  PictureBox::Kind drawn_as;
  std::string_view name, in_picture;
};
/// In the order of ChangedImage::Box::Kind.
constexpr std::array<ChangeText, 4> kChanges = {
    {{PictureBox::Kind::kTruePositive, "now found", "found"},
     {PictureBox::Kind::kFalseNegative, "lost", "lost"},
     {PictureBox::Kind::kFalsePositive, "new false positive", "new"},
     {PictureBox::Kind::kIgnored, "false positive of the other alone", "gone"}}};

std::string with_blanks(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

/// "–" where there is no interval, as where other numbers are not defined.
std::string cell_text(std::string text) { return text == "-" ? "–" : std::move(text); }

/// Of a table whose rows are difference_cells().
std::string head_of(const char* rows) {
  return html_head({rows, "this", "other", "difference", "interval", "better in", "resamples"}) + "<tbody>\n";
}

std::string difference_cells(const ComparedNumber& number) {
  return html_cell(score_text(number.value)) + html_cell(score_text(number.other)) +
         html_cell(cell_text(difference_text(number.difference))) + html_cell(cell_text(interval_text(number))) +
         html_cell(cell_text(better_text(number))) + html_cell(count_text(static_cast<int64_t>(number.resamples)));
}

void add_whiskers(WhiskerChart& chart, const std::string& label, const ComparedNumber& number) {
  if (std::isnan(number.low)) return;
  chart.rows.push_back({shortened_to(label, kLongestCategoryLabel), number.low, number.difference, number.high,
                        difference_text(number.difference)});
}

class ComparisonMarkup {
 public:
  ComparisonMarkup(const EvaluationReport& report, Section& section)
      : report_(report),
        evaluation_(report.evaluation),
        comparison_(*report.evaluation.comparison),
        section_(section) {}

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
        head_of("number");
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
    std::string table =
        "<table>\n<caption>AP of each category, the largest differences first. Where a category is in few images, "
        "not all resamples have it, and its interval is too narrow.</caption>\n" +
        head_of("category");
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
           pictures() + html_scroll("Table of images that changed", table + "</tbody></table>\n");
  }

  /// The first of them, with what only one of the two results has.
  std::string pictures() const {
    std::string html = "<div class=\"gallery\">\n";
    for (size_t i = 0; i < std::min(comparison_.changed_images.size(), kMostChangedPictures); ++i) {
      const ChangedImage& image = comparison_.changed_images[i];
      std::vector<PictureBox> boxes;
      std::string list;
      for (const ChangedImage::Box& box : image.boxes) {
        const auto& [drawn_as, name, in_picture] = kChanges[static_cast<size_t>(box.kind)];
        std::string text = category_label(evaluation_, box.category);
        if (box.score >= 0) text += fmt::format(" {:.2f}", box.score);
        list += fmt::format("<li>{}: {} at {:.0f}, {:.0f}, {:.0f} x {:.0f}</li>\n", name, xml_text(text), box.box[0],
                            box.box[1], box.box[2], box.box[3]);
        boxes.push_back({drawn_as, box.box, fmt::format("{}: {}", in_picture, text)});
      }
      if (image.boxes_left_out > 0) list += fmt::format("<li>{} more</li>\n", image.boxes_left_out);
      const std::string file = image.image.file_name.empty() ? image.image.id : image.image.file_name;
      const std::string counts = fmt::format("{} errors, of the other {}; {} objects now found, {} lost",
                                             image.counts.errors(), image.other.errors(), image.found, image.lost);
      html += fmt::format(
          "<figure>{}<figcaption><b>{}</b><br>{}<details><summary>Boxes</summary><ul>\n{}</ul></details></figcaption>"
          "</figure>\n",
          picture_markup(report_, image.image, boxes, file + ": " + counts), xml_text(file), counts, list);
    }
    return html +
           "</div>\n<p class=\"small\">Solid: objects now found. Dotted: objects lost. Dashed: false positives "
           "that are new, in long grey dashes those that are gone.</p>\n";
  }

  std::string side_by_side(const std::string& name, const WhiskerChart& chart, std::string_view region,
                           const std::string& table) {
    return "<div class=\"plots pair\">\n" + section_.figure(name, whisker_chart(chart)) + "<div>" +
           fmt::format("<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n{}</div>\n",
                       region, table) +
           "</div></div>\n";
  }

  const EvaluationReport& report_;
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
