// Puts the page's sections together.
#include "report/evaluation_page.h"

#include <fmt/format.h>

#include "report/category_script.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/picture.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

/// The order of the page.
constexpr Section (*kSections[])(const EvaluationReport&) = {
    numbers_section,     comparison_section, curves_section, categories_section, confusion_section, errors_section,
    calibration_section, sizes_section,      speed_section,  images_section,     labels_section,    run_section};

constexpr std::string_view kEvaluationCss =
    R"(body { max-width: 1300px } nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3em 1.2em }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 1em; align-items: start }
.plots.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)) } .plots.pair svg.chart { max-width: 500px } .plots > div { min-width: 0 } .plots th, .plots td { padding: 2px 7px } figure { margin: 0; min-width: 0 }
figure > svg.chart { display: block; height: auto } .plots svg.chart, #category-figure svg.chart { width: 100%; max-width: 620px }
.scroll > figure svg.chart { max-width: none }
tbody th { font: inherit; font-size: 13px }
.tiles { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(100px, 1fr)); gap: .5em; max-width: 720px }
.tiles li { background: var(--head); padding: .4em .7em } .tiles span { display: block; color: var(--faint); font-size: 13px } .tiles b { font-size: 1.3em }
pre { font-size: 12px } figcaption { font-size: 13px; overflow-wrap: anywhere } h3 { font-size: 1em }
.tall { max-height: 70vh; overflow: auto; border-bottom: 1px solid var(--line) } .tall thead th { position: sticky; top: 0; z-index: 1 }
#category-table { border-collapse: separate; border-spacing: 0 } #category-table tbody th { max-width: 16em; overflow: hidden; text-overflow: ellipsis; position: sticky; left: 0; background: var(--paper) }
td.spark { padding: 2px 6px } td.spark svg.chart { display: block; width: 72px; height: 24px; background: var(--head) } td.spark polyline { vector-effect: non-scaling-stroke; stroke-width: 1.5 }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 2px; cursor: pointer; text-align: inherit; text-decoration: underline dotted }
th[aria-sort=ascending] button::after { content: " \25B2" } th[aria-sort=descending] button::after { content: " \25BC" }
.controls { display: flex; flex-wrap: wrap; gap: .5em 1.5em; align-items: center; margin: 1em 0 } .controls input, .controls select { font: inherit; max-width: 100% }
#category-figure { max-width: 460px }
@media (max-width: 600px) { #category-table { border-collapse: separate; border-spacing: 0 } #category-table tbody th { max-width: 8em } body { margin: 1em auto } }
@media print { .tall { max-height: none; overflow: visible } .controls, nav, .toggles { display: none } .plots { grid-template-columns: 1fr 1fr } .gallery { grid-template-columns: 1fr 1fr }
  .scroll > figure svg.chart { min-width: 0; max-width: 100% } #category-table tbody th, .tall thead th { position: static } }
)";

/// What the page says first.
std::string lead(const EvaluationReport& report) {
  const auto& stats = report.evaluation.stats;
  std::string text = stats[0] < 0 ? std::string("Evaluated with other parameters than COCO's; the numbers are below.")
                                  : fmt::format("AP {}, AP50 {}, AR {}", score_text(stats[0]), score_text(stats[1]),
                                                score_text(stats[8]));
  if (report.speed && report.speed->seconds > 0)
    text += fmt::format(", {:.2f} images a second", static_cast<double>(report.speed->images) / report.speed->seconds);
  const bool failed = !report.failures.empty();
  if (failed) text += fmt::format(". {} images could not be used", report.failures.size());
  return fmt::format("<p class=\"verdict{}\">{}.</p>\n", failed ? " failed" : "", xml_text(text));
}

}  // namespace

std::string Section::figure(const std::string& name, Svg plot) {
  std::string html = fmt::format("<figure>{}</figure>\n", plot.markup());
  plots.emplace_back(name, std::move(plot));
  return html;
}

EvaluationPage evaluation_page(const EvaluationReport& report) {
  EvaluationPage page;
  std::string links, sections;
  for (const auto make : kSections) {
    Section section = make(report);
    if (section.markup.empty()) continue;
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, xml_text(section.heading));
    sections += html_section(section.id, section.heading, section.markup);
    for (auto& plot : section.plots) page.plots.push_back(std::move(plot));
  }
  page.html = html_page(report.title, fmt::format("{}{}{}", chart_css(), picture_css(), kEvaluationCss),
                        lead(report) + "<nav aria-label=\"Sections\"><ul>\n" + links + "</ul></nav>\n" + sections,
                        category_script());
  return page;
}

std::string category_label(const Evaluation& evaluation, size_t index) {
  if (index >= evaluation.categories.size()) return "?";
  const Evaluation::CategoryAp& category = evaluation.categories[index];
  return category.name.empty() ? fmt::format("{}", category.id) : category.name;
}

std::string score_text(double value) { return value < 0 ? "–" : fmt::format("{:.3f}", value); }

std::string share_text(double value) { return value < 0 ? "–" : fmt::format("{:.1f} %", 100 * value); }

}  // namespace effdet::cli
