// Builds markup around escaped texts.
#include "report/html.h"

#include <fmt/format.h>

#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr std::string_view kPageCss =
    R"(:root { color-scheme: light dark; --ink: #222; --faint: #595959; --paper: #fff; --line: #ddd; --head: #f1f1f1;
  --float: #fff3da; --good: #eef8f4; --bad: #fdf1e9; --link: #00539c }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --faint: #aaa; --paper: #16181c; --line: #3a3d42; --head: #24272c;
  --float: #3a2f16; --good: #12302a; --bad: #3b2216; --link: #7cc0ff } }
body { font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; overflow-wrap: anywhere } h2 { font-size: 1.15em; margin-top: 2em }
a { color: var(--link) } :focus-visible { outline: 3px solid #e69f00; outline-offset: 2px }
.verdict { padding: .6em 1em; border-left: 6px solid #009e73; background: var(--good); overflow-wrap: anywhere }
.failed { border-color: #d55e00; background: var(--bad) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3em 1.5em } dt { color: var(--faint) }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere } code { font-size: 13px; overflow-wrap: anywhere }
details li { font: 13px/1.5 monospace; overflow-wrap: anywhere } summary { cursor: pointer }
.scroll { overflow-x: auto } .scroll > svg.chart { display: block; min-width: 640px; max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 13px } caption { text-align: left; color: var(--faint); padding: .3em 0; max-width: calc(100vw - 3em) }
th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
thead th { background: var(--head); white-space: normal; vertical-align: bottom }
tbody th { font: 13px monospace; text-align: left } th:first-child { text-align: left } .float > * { background: var(--float) }
td.words { text-align: left; white-space: normal; overflow-wrap: anywhere }
.small { color: var(--faint); font-size: 13px }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6em } }
@media print { body { max-width: none; margin: 0; font-size: 11px } .scroll { overflow: visible } .scroll svg.chart { min-width: 0; max-width: 100%; height: auto }
  table, tbody th, code, .small, details li { font-size: 9px } details ul { columns: 2 } th, td { padding: 1px 5px; overflow-wrap: anywhere } tbody th { white-space: normal }
  tr, svg { break-inside: avoid } h2 { break-after: avoid } details::details-content { content-visibility: visible; height: auto } }
)";

}  // namespace

std::string html_page(std::string_view title, std::string_view css, std::string_view body, std::string_view script) {
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">{4}"
             "<meta name=\"viewport\" content=\"width=device-width, "
             "initial-scale=1\"><title>{0}</title>\n<style>\n{1}{2}"
             "</style></head>\n<body><main>\n<h1>{0}</h1>\n{3}</main>\n",
             xml_text(title), kPageCss, css, body, kHtmlMaker) +
         (script.empty() ? std::string() : fmt::format("<script>\n{}</script>\n", script)) + "</body>\n</html>\n";
}

std::string html_section(std::string_view id, std::string_view heading, const std::string& markup) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n{2}</section>\n", id,
      xml_text(heading), markup);
}

std::string html_scroll(std::string_view name, const std::string& markup) {
  return fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n{}</div>\n",
                     xml_text(name), markup);
}

std::string html_head(std::initializer_list<std::string_view> names) {
  std::string html = "<thead><tr>";
  for (const std::string_view name : names) html += fmt::format("<th scope=\"col\">{}</th>", xml_text(name));
  return html + "</tr></thead>\n";
}

std::string html_cell(std::string_view text) { return fmt::format("<td>{}</td>", xml_text(text)); }

std::string html_words(std::string_view text) { return fmt::format("<td class=\"words\">{}</td>", xml_text(text)); }

std::string html_row_name(std::string_view text) { return fmt::format("<th scope=\"row\">{}</th>", xml_text(text)); }

std::string html_fact(std::string_view name, std::string_view markup) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", xml_text(name), markup);
}

}  // namespace effdet::cli
