// The options of commands that write a report.
#pragma once

#include <optional>
#include <string>

#include "cli.h"
#include "report/evaluation_report.h"
#include "report/report_folder.h"

namespace effdet::cli {

/// --report DIR
class ReportOptions {
 public:
  void add_to(CommandLine& line);

  bool given() const { return !path_.empty(); }
  /// Call it before long work: throws as ReportFolder. Sets what the report needs to be found out.
  void prepare(bool& error_analysis, std::optional<AnalysisOptions>& analysis);
  /// Adds the date, writes the report, with images from where the data set has them, and says where it is, on standard
  /// error where standard output is JSON.
  void write(EvaluationReport report, const DataSource& data, bool json) const;

 private:
  std::string path_;
  std::optional<ReportFolder> folder_;
};

}  // namespace effdet::cli
