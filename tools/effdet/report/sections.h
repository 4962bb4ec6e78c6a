// The sections of the page on an evaluation, in the order in which they stand there. Each is a file of its own,
// section_<name>.cc, and a row of kSections in evaluation_page.cc.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/evaluation_report.h"
#include "report/svg.h"

namespace effdet::cli {

struct Section {
  std::string id, heading;
  std::string markup = {};  ///< below the heading; empty: there is nothing to show, and no section
  /// Plots by name: each is in the markup, too, and becomes a file of its own.
  std::vector<std::pair<std::string, Svg>> plots = {};

  /// Takes a plot and returns it as a figure of the page.
  std::string figure(const std::string& name, Svg plot);
};

Section numbers_section(const EvaluationReport& report);
Section comparison_section(const EvaluationReport& report);
Section curves_section(const EvaluationReport& report);
Section categories_section(const EvaluationReport& report);
Section confusion_section(const EvaluationReport& report);
Section errors_section(const EvaluationReport& report);
Section calibration_section(const EvaluationReport& report);
Section sizes_section(const EvaluationReport& report);
Section speed_section(const EvaluationReport& report);
Section images_section(const EvaluationReport& report);
Section labels_section(const EvaluationReport& report);
Section run_section(const EvaluationReport& report);

}  // namespace effdet::cli
