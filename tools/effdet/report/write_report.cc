// Collects a report's files.
#include "report/write_report.h"

#include "dataset_options.h"
#include "report/evaluation_page.h"
#include "report/rasterize.h"

namespace effdet::cli {

nlohmann::json report_json(const EvaluationReport& report) {
  nlohmann::json json = evaluation_json(report.evaluation);
  nlohmann::json& about =
      json["report"] = {{"title", report.title}, {"date", report.date}, {"failures", nlohmann::json::array()}};
  for (const auto& [name, value] : report.facts) about["run"][name] = value;
  for (const ImageFailure& failure : report.failures) about["failures"].push_back(failure.message);
  if (const auto& speed = report.speed)
    about["speed"] = {{"seconds", speed->seconds},
                      {"inference_seconds", speed->inference_seconds},
                      {"images", speed->images},
                      {"streams", speed->streams}};
  return json;
}

void write_report(const ReportFolder& folder, const EvaluationReport& report) {
  EvaluationPage page = evaluation_page(report);
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& [name, plot] : page.plots) {
    std::string svg = plot.file();
    if (std::string png = rasterize(svg); !png.empty()) files.emplace_back("plots/" + name + ".png", std::move(png));
    files.emplace_back("plots/" + name + ".svg", std::move(svg));
  }
  // On one line: indented, arrays of curves would take five times the size. Bytes that are no UTF-8 are replaced.
  files.emplace_back("report.json",
                     report_json(report).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  files.emplace_back("index.html", std::move(page.html));
  folder.write(files);
}

}  // namespace effdet::cli
