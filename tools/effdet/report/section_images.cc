// The section with the images that have most errors.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli.h"
#include "report/picture.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

struct KindText {
  std::string_view style, name, plural;
};
/// In the order of WorstImage::Kind.
constexpr std::array<KindText, 5> kKinds = {{{"tp", "true positive", "true positives"},
                                             {"fp", "false positive", "false positives"},
                                             {"fn", "missed object", "missed objects"},
                                             {"found", "found object", "found objects"},
                                             {"ignored", "ignored region", "ignored regions"}}};

PictureBox to_drawn(const Evaluation& evaluation, const WorstImage::Box& box) {
  std::string text = category_label(evaluation, box.category);
  if (box.score >= 0) text += fmt::format(" {:.2f}", box.score);
  return {static_cast<PictureBox::Kind>(box.kind), box.box, std::move(text)};
}

/// What is drawn, in words.
std::string box_list(const WorstImage& worst, const std::vector<PictureBox>& boxes) {
  std::string html = "<details><summary>Boxes</summary><ul>\n";
  for (const PictureBox& box : boxes)
    html +=
        fmt::format("<li>{}: {} at {:.0f}, {:.0f}, {:.0f} x {:.0f}</li>\n", kKinds[static_cast<size_t>(box.kind)].name,
                    xml_text(box.text), box.box[0], box.box[1], box.box[2], box.box[3]);
  if (worst.boxes_left_out > 0) html += fmt::format("<li>{} more</li>\n", worst.boxes_left_out);
  return html + "</ul></details>";
}

/// Boxes to tick, one for each kind, with a sample of its line.
std::string toggles() {
  std::string html = "<fieldset class=\"toggles\"><legend>Show</legend>\n";
  for (const KindText& kind : kKinds)
    html += fmt::format(
        "<label><input type=\"checkbox\" id=\"show-{0}\" checked> <svg class=\"picture\" viewBox=\"0 0 30 12\" "
        "aria-hidden=\"true\"><g class=\"box {0}\"><rect class=\"line\" x=\"2\" y=\"2\" width=\"26\" height=\"8\"/></g>"
        "</svg> {1}</label>\n",
        kind.style, kind.plural);
  return html + "</fieldset>\n";
}

}  // namespace

Section images_section(const EvaluationReport& report) {
  Section section{"images", "Worst images"};
  const auto& analysis = report.evaluation.analysis;
  if (!analysis || analysis->worst_images.empty()) return section;
  section.markup = fmt::format("<p>Most errors first, at IoU {:.2f} and a score of at least {:.3f}.</p>\n",
                               analysis->iou_threshold, analysis->score_threshold) +
                   toggles() + "<div class=\"gallery\">\n";
  for (const WorstImage& worst : analysis->worst_images) {
    std::vector<PictureBox> boxes;
    for (const WorstImage::Box& box : worst.boxes) boxes.push_back(to_drawn(report.evaluation, box));
    const std::string counts =
        fmt::format("{} true positives, {} false positives, {} missed objects, F1 {}", worst.true_positives,
                    worst.false_positives, worst.false_negatives, score_text(worst.f1));
    const std::string& name = worst.image.file_name.empty() ? worst.image.id : worst.image.file_name;
    section.markup += fmt::format("<figure>{}<figcaption><b>{}</b> (id {})<br>{}{}</figcaption></figure>\n",
                                  picture_markup(report, worst.image, boxes, name + ": " + counts), xml_text(name),
                                  xml_text(worst.image.id), counts, box_list(worst, boxes));
  }
  section.markup += "</div>\n";
  return section;
}

}  // namespace effdet::cli
