// What an evaluation found, as a page for browsers and its plots.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/evaluation_report.h"
#include "report/svg.h"

namespace effdet::cli {

struct EvaluationPage {
  std::string html;
  std::vector<std::pair<std::string, Svg>> plots;  ///< by name, for files of their own
};

/// A page that needs nothing else: for wide and narrow windows, light and dark ones, paper, keyboards and screen
/// readers. It can be read without its script, which sorts and searches the table of categories. Reports on the same
/// run differ in their date alone.
EvaluationPage evaluation_page(const EvaluationReport& report);

}  // namespace effdet::cli
