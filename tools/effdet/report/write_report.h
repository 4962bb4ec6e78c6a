// A report on an evaluation as a folder of files.
#pragma once

#include <nlohmann/json.hpp>

#include "report/evaluation_report.h"
#include "report/report_folder.h"

namespace effdet::cli {

/// Numbers as --json prints them, and in "report" what was run, when, and how fast.
nlohmann::json report_json(const EvaluationReport& report);

/// index.html, report.json, and plots/<name>.svg of each plot; plots/<name>.png, too, where rsvg-convert is installed.
/// Throws Error(kIo).
void write_report(const ReportFolder& folder, const EvaluationReport& report);

}  // namespace effdet::cli
