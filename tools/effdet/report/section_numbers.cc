// The section with COCO's numbers, and what has to be known to read them.
#include <fmt/format.h>

#include "cli.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

std::string images_sentence(const Evaluation& evaluation) {
  return fmt::format("{} detections on {} of the {} images of the annotations, {} categories.",
                     count_text(static_cast<int64_t>(evaluation.detections)),
                     count_text(static_cast<int64_t>(evaluation.images)),
                     count_text(static_cast<int64_t>(evaluation.all_images)), evaluation.categories.size());
}

std::string list_of(std::string_view summary, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string html = fmt::format("<details><summary>{}</summary><ul>\n", summary);
  for (const std::string& line : lines) html += fmt::format("<li>{}</li>\n", xml_text(line));
  return html + "</ul></details>\n";
}

}  // namespace

Section numbers_section(const EvaluationReport& report) {
  const Evaluation& evaluation = report.evaluation;
  std::string html = fmt::format("<p>{}</p>\n<ul class=\"tiles\">\n", images_sentence(evaluation));
  for (const auto& [name, value] : evaluation.metrics) {
    std::string shown = name;
    for (char& c : shown)
      if (c == '_') c = ' ';
    html += fmt::format("<li><span>{}</span> <b>{}</b></li>\n", xml_text(shown), score_text(value));
  }
  html += "</ul>\n<details><summary>The same as pycocotools prints it</summary>\n<pre class=\"scroll\" tabindex=\"0\">";
  for (const std::string& line : evaluation.summary) html += xml_text(line) + "\n";
  html += "</pre></details>\n";
  html += list_of(fmt::format("Notes on the data: {}", evaluation.notes.size()), evaluation.notes);
  std::vector<std::string> failures;
  for (const ImageFailure& failure : report.failures) failures.push_back(failure.message);
  html += list_of(fmt::format("Images that could not be used: {}", failures.size()), failures);
  return {"numbers", "Numbers", html};
}

}  // namespace effdet::cli
