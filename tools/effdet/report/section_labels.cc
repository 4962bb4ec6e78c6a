// The section with suspected errors of the annotations.
#include <fmt/format.h>

#include <algorithm>

#include "cli.h"
#include "report/html.h"
#include "report/picture.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostPictures = 6, kMostRows = 100;

std::string image_name(const AnalysedImage& image) { return image.file_name.empty() ? image.id : image.file_name; }

/// One kind of suspicion: what it means, pictures of the first, and a table.
class Suspicion {
 public:
  Suspicion(const EvaluationReport& report, std::string_view heading, std::string_view meaning, size_t number,
            PictureBox::Kind kind)
      : report_(report), heading_(heading), meaning_(meaning), number_(number), kind_(kind) {}

  std::string markup(const std::vector<LabelError>& errors, bool has_labelled) const {
    if (errors.empty()) return "";
    std::string pictures, rows;
    for (size_t i = 0; i < std::min(errors.size(), kMostPictures); ++i) pictures += picture(errors[i], has_labelled);
    for (size_t i = 0; i < std::min(errors.size(), kMostRows); ++i) rows += row(errors[i], has_labelled);
    std::string head = has_labelled
                           ? html_head({"image", "found", "labelled", "score", "box: left, top, width, height"})
                           : html_head({"image", "category", "score", "box: left, top, width, height"});
    return fmt::format(
        "<h3>{}: {}</h3>\n<p>{}</p>\n<div class=\"gallery\">\n{}</div>\n<details><summary>Table of the first {}"
        "</summary>\n{}</details>\n",
        heading_, count_text(static_cast<int64_t>(number_)), meaning_, pictures, std::min(errors.size(), kMostRows),
        html_scroll(heading_, "<table>\n" + fmt::format("<caption>{}</caption>\n", heading_) + head + "<tbody>\n" +
                                  rows + "</tbody></table>\n"));
  }

 private:
  std::string text_of(const LabelError& error, bool has_labelled) const {
    std::string text = category_label(report_.evaluation, error.category);
    if (error.score >= 0) text += fmt::format(" {:.2f}", error.score);
    if (has_labelled) text += ", not " + category_label(report_.evaluation, error.labelled);
    return text;
  }
  std::string picture(const LabelError& error, bool has_labelled) const {
    const std::string text = text_of(error, has_labelled);
    return fmt::format(
        "<figure>{}<figcaption><b>{}</b><br>{}</figcaption></figure>\n",
        picture_markup(report_, error.image, {{kind_, error.box, text}}, image_name(error.image) + ": " + text),
        xml_text(image_name(error.image)), xml_text(text));
  }
  std::string row(const LabelError& error, bool has_labelled) const {
    const auto& [left, top, width, height] = error.box;
    return "<tr>" + html_row_name(image_name(error.image)) +
           html_words(category_label(report_.evaluation, error.category)) +
           (has_labelled ? html_words(category_label(report_.evaluation, error.labelled)) : "") +
           html_cell(score_text(error.score)) +
           html_cell(fmt::format("{:.1f}, {:.1f}, {:.1f}, {:.1f}", left, top, width, height)) + "</tr>\n";
  }

  const EvaluationReport& report_;
  std::string_view heading_, meaning_;
  size_t number_;
  PictureBox::Kind kind_;
};

}  // namespace

Section labels_section(const EvaluationReport& report) {
  Section section{"labels", "Suspected errors of the annotations"};
  if (!report.evaluation.analysis) return section;
  const LabelErrors& errors = report.evaluation.analysis->label_errors;
  const std::string markup =
      Suspicion(report, "Objects without a label", "Detections with high scores where nothing is annotated.",
                errors.num_missing_boxes, PictureBox::Kind::kFalsePositive)
          .markup(errors.missing_boxes, false) +
      Suspicion(report, "Labels of another category", "Detections with high scores on an object of another category.",
                errors.num_wrong_categories, PictureBox::Kind::kFalsePositive)
          .markup(errors.wrong_categories, true) +
      Suspicion(report, "Labels where nothing is found", "Objects that no detection of any category overlaps.",
                errors.num_never_found, PictureBox::Kind::kFalseNegative)
          .markup(errors.never_found, false);
  if (!markup.empty())
    section.markup =
        "<p>Places where the annotations may be wrong rather than the model. Look at them before you believe "
        "either.</p>\n" +
        markup;
  return section;
}

}  // namespace effdet::cli
