// Adds --report and writes what it asks for.
#include "report/report_options.h"

#include <fmt/format.h>

#include <memory>

#include "log.h"
#include "report/run_facts.h"
#include "report/write_report.h"
#include "status_line.h"

namespace effdet::cli {

void ReportOptions::add_to(CommandLine& line) {
  line.add_output_folder("--report", path_,
                         "write a report here: index.html with plots, the worst images and tables, and report.json");
}

void ReportOptions::prepare(bool& error_analysis, std::optional<AnalysisOptions>& analysis) {
  if (!given()) return;
  folder_.emplace(path_);
  error_analysis = true;
  if (!analysis) analysis.emplace();
}

void ReportOptions::write(EvaluationReport report, const DataSource& data, bool json) const {
  if (!folder_) return;
  report.date = date_text();
  report.thumbnail = [images = std::make_shared<ReportImages>(data)](const AnalysedImage& image) {
    return (*images)(image);
  };
  write_report(*folder_, report);
  if (json && is_quiet()) return;
  const RoomForLines room;
  fmt::print(json ? stderr : stdout, "[INFO] report: {}\n", (std::filesystem::path(path_) / "index.html").string());
}

}  // namespace effdet::cli
