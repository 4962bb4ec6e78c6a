// The page on an evaluation: names of files stay text, plots and sections are there, markup is well-formed.
#include "report/evaluation_page.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "report/xml_text.h"
#include "support/shell.h"

namespace effdet::cli {
namespace {

using test::contains;

constexpr const char* kHostile = "</script><img src=x onerror=alert(1)>\"'&\x01\xff\xe2\x80\xae";

/// What is wrong with nested tags and attributes, or nothing: a subset of HTML that XML has, too, but for elements that
/// have no end.
std::string fault_of(std::string_view text) {
  constexpr std::string_view kAlone[] = {"meta", "input", "br"};
  std::vector<std::string> open;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&' && text.substr(at, 8).find(';') == std::string_view::npos)
      return "a bare & at " + std::string(text.substr(at, 40));
    if (text[at] != '<') continue;
    if (text[at + 1] == '!') continue;
    size_t end = at + 1;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != '>'); ++end) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return "< in a tag at " + std::string(text.substr(at, 60));
    }
    const std::string_view tag = text.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n", 1)));
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != tag) return "unexpected <" + std::string(tag) + ">";
      open.pop_back();
    } else if (!tag.ends_with('/') && std::find(std::begin(kAlone), std::end(kAlone), name) == std::end(kAlone)) {
      open.push_back(name);
    }
    at = end;
    if (name == "script" || name == "style") at = text.find("</" + name, end) - 1;
  }
  return open.empty() ? std::string() : "<" + open.back() + "> has no end";
}

/// Two categories whose names are hostile, an image with one box of each kind, and all that sections show.
EvaluationReport hostile_report() {
  EvaluationReport report;
  report.title = kHostile;
  report.facts = {{"Model", kHostile}};
  report.failures = {{ErrorCode::kBadInput, kHostile}};
  report.speed = ReportSpeed{2, 1, 4, 1};
  Evaluation& evaluation = report.evaluation;
  evaluation.stats.fill(0.5);
  evaluation.metrics = {{"AP", 0.5}};
  evaluation.areas = {"all", kHostile};
  evaluation.notes = {kHostile};
  for (int64_t id : {1, 2})
    evaluation.categories.push_back({.id = id, .name = kHostile, .ap = 0.25, .area_ap = {-1}, .objects = 3});
  evaluation.errors.kinds = {{"Cls", 0.1, 1}, {"Loc", 0.2, 2}};
  EvaluationAnalysis& analysis = evaluation.analysis.emplace();
  analysis.thresholds = {0, 0.5, 1};
  analysis.all.curve = {{0.1, 0.5, 1}, {1, 0.5, 0}, {0.2, 0.5, 0}, {}, OperatingPoint{0.5, 1, 1, 1, 0.5, 0.5, 0.5}};
  analysis.all.calibration = {{{2, 0.3, 0.5}, {1, 0.8, 1}}, 0.2, 0.3, 0};
  analysis.categories.resize(2);
  analysis.precision = {{0.5, 0.75}, {0, 0.5, 1}, {"all", kHostile}, 2, std::vector<double>(2 * 2 * 2 * 3, 0.5)};
  analysis.confusion = {2, {{0, 0, 5}, {0, 1, 2}, {1, 2, 1}}, {{0, 1, 2}}};
  const AnalysedImage image{"7", kHostile, 100, 50};
  analysis.label_errors.wrong_categories = {{image, {1, 2, 3, 4}, 0, 0.9, 1, 0.8}};
  analysis.worst_images = {
      {.image = image,
       .false_positives = 1,
       .boxes = {{WorstImage::Kind::kFalsePositive, {10, 10, 20, 20}, 0, 0.9},
                 {WorstImage::Kind::kFalseNegative, {50, 10, 1e300, 20}, 1},
                 {WorstImage::Kind::kFound, {0, 0, std::numeric_limits<double>::quiet_NaN(), 1}, 1}}}};
  analysis.sizes = {{0, 32, 3, 1, 0.5, 0.5}, {32, std::numeric_limits<double>::infinity(), 0, 0}};
  EvaluationComparison& comparison = evaluation.comparison.emplace();
  comparison.against = kHostile;
  const ComparedNumber better{0.5, 0.4, 0.1, 0.05, 0.15, 1, 9}, undecided{0.4, 0.4, 0, -0.1, 0.1, 0.5, 9};
  comparison.metrics = {{"AP", better}, {kHostile, undecided}, {"AP_large", {}}};
  comparison.categories = {{.ap = better, .area_ap = {{}}}, {.ap = undecided, .area_ap = {{}}}};
  comparison.changed_categories = {0, 1};
  using Kind = ChangedImage::Box::Kind;
  comparison.changed_images = {
      {.image = image,
       .found = 1,
       .boxes = {{Kind::kFound, {1, 2, 30, 4}, 0}, {Kind::kOtherFalsePositive, {1, 2, 1e300, 4}, 1, 0.5}}}};
  return report;
}

TEST(XmlText, KeepsUtf8AndShowsWhatIsNone) {
  EXPECT_EQ(xml_text("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
  EXPECT_EQ(xml_text("Straße 日本 🐈"), "Straße 日本 🐈");
  EXPECT_EQ(xml_text("\x01\xff\xc0\xaf\xed\xa0\x80"), "\\x01\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(xml_text("a\u202eb\u0085"), "a\\xe2\\x80\\xaeb\\xc2\\x85");
  EXPECT_EQ(xml_text("a\xe2\x80"), "a\\xe2\\x80");
  EXPECT_EQ(shortened_to("日本語の名前", 9), "日本語...");
  EXPECT_EQ(text_columns("ab日"), 4u);
}

TEST(EvaluationPage, NamesOfFilesStayText) {
  const EvaluationPage page = evaluation_page(hostile_report());
  EXPECT_EQ(fault_of(page.html), "");
  EXPECT_FALSE(contains(page.html, "<img")) << "a name became an element";
  EXPECT_FALSE(contains(page.html, "\x01"));
  EXPECT_FALSE(contains(page.html, "\u202e"));
  EXPECT_EQ(page.html.find("</script>"), page.html.rfind("</script>"));
  for (const auto& [name, plot] : page.plots) {
    EXPECT_EQ(fault_of(plot.file()), "") << name;
    EXPECT_FALSE(contains(plot.file(), "<img")) << name;
  }
}

TEST(EvaluationPage, HasTheSectionsAndPlotsAndNeedsNoOtherFile) {
  const EvaluationPage page = evaluation_page(hostile_report());
  for (const char* id : {"numbers", "comparison", "curves", "categories", "confusion", "errors", "calibration", "sizes",
                         "speed", "images", "labels", "run"})
    EXPECT_TRUE(contains(page.html, std::string("<section id=\"") + id + "\"")) << id;
  std::vector<std::string> names;
  for (const auto& plot : page.plots) names.push_back(plot.first);
  const std::vector<std::string> expected = {"differences", "category_differences", "f1_by_threshold", "pr_by_iou",
                                             "pr_by_size",  "pr_by_category",       "categories",      "confusion",
                                             "errors",      "reliability",          "ap_by_size"};
  EXPECT_EQ(names, expected);
  for (const char* part : {"http:", "https:", "url(", "@import", "src="})
    EXPECT_EQ(page.html.find(part), std::string(part) == "src=" ? page.html.find("src=x onerror") : std::string::npos)
        << part;
  for (const char* part :
       {"@media print", "prefers-color-scheme: dark", "<caption>", "scope=\"col\"", "role=\"region\""})
    EXPECT_TRUE(contains(page.html, part)) << part;
}

/// What includes 0 is told apart by more than colour, and is named.
TEST(EvaluationPage, SaysWhichDifferencesAreNotSure) {
  const EvaluationPage page = evaluation_page(hostile_report());
  EXPECT_TRUE(contains(page.html, "The interval includes 0: "));
  EXPECT_TRUE(contains(page.html, "<td>+0.100</td><td>+0.050 to +0.150</td><td>100.0 %</td><td>9</td>"));
  EXPECT_TRUE(contains(page.html,
                       "<th scope=\"row\">AP large</th><td>–</td><td>–</td><td>–</td><td>–</td><td>–</td><td>0</td>"));
  EXPECT_TRUE(contains(page.html, "<li>now found: "));
  EXPECT_TRUE(contains(page.html, "<li>false positive of the other alone: "));
  const std::string plot = page.plots.front().second.file();
  EXPECT_TRUE(contains(plot, "class=\"whisker c0\"") && contains(plot, "class=\"whisker c7\""));
  EXPECT_TRUE(contains(plot, "class=\"c7\"></circle>"));
  EXPECT_FALSE(contains(plot, "AP large"));  // there is nothing to draw
}

TEST(EvaluationPage, LeavesOutWhatWasNotMeasured) {
  EvaluationReport report;
  report.title = "empty";
  const EvaluationPage page = evaluation_page(report);
  EXPECT_EQ(fault_of(page.html), "");
  EXPECT_TRUE(page.plots.empty());
  EXPECT_FALSE(contains(page.html, "<section id=\"errors\""));
  EXPECT_FALSE(contains(page.html, "<section id=\"comparison\""));
}

}  // namespace
}  // namespace effdet::cli
