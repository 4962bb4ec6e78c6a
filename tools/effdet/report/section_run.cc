// The section with what was run and on what.
#include <fmt/format.h>

#include "report/html.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {

Section run_section(const EvaluationReport& report) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : report.facts) html += html_fact(name, xml_text(value));
  if (!report.date.empty()) html += html_fact("Date", xml_text(report.date));
  return {"run", "What was run", html + "</dl>\n"};
}

}  // namespace effdet::cli
