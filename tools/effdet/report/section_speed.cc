// The section with the model's speed, beside what it reaches.
#include <fmt/format.h>

#include "report/html.h"
#include "report/sections.h"

namespace effdet::cli {

Section speed_section(const EvaluationReport& report) {
  Section section{"speed", "Speed and accuracy"};
  if (!report.speed || report.speed->images == 0 || !(report.speed->seconds > 0)) return section;
  const ReportSpeed& speed = *report.speed;
  const auto images = static_cast<double>(speed.images);
  const double network = speed.inference_seconds * speed.streams / images;
  section.markup =
      "<table>\n<caption>Measured while the model was evaluated, with all else that ran on the machine.</caption>\n" +
      html_head({"AP", "AP50", "images a second", "network, ms an image", "streams", "seconds in all"}) +
      "<tbody><tr>" + html_cell(score_text(report.evaluation.stats[0])) +
      html_cell(score_text(report.evaluation.stats[1])) + html_cell(fmt::format("{:.2f}", images / speed.seconds)) +
      html_cell(fmt::format("{:.2f}", 1000 * network)) + html_cell(std::to_string(speed.streams)) +
      html_cell(fmt::format("{:.2f}", speed.seconds)) + "</tr></tbody></table>\n";
  section.markup = html_scroll(section.heading, section.markup);
  return section;
}

}  // namespace effdet::cli
