// The section with the confusion matrix: what objects are taken for.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "cli.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostCategories = 15, kLongestCategory = 18;
constexpr double kCell = 30, kMatrixEdge = 12;

/// Those that take part in most confusions between two categories, then those with most objects; in their usual order.
std::vector<size_t> shown_categories(const ConfusionMatrix& matrix) {
  std::vector<size_t> confused(matrix.num_categories), objects(matrix.num_categories), order(matrix.num_categories);
  for (const auto& [actual, predicted, count] : matrix.cells) {
    if (actual < matrix.num_categories) objects[actual] += count;
    if (actual == predicted || actual >= matrix.num_categories || predicted >= matrix.num_categories) continue;
    confused[actual] += count;
    confused[predicted] += count;
  }
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](size_t k) { return std::pair(confused[k], objects[k]); });
  order.resize(std::min(order.size(), kMostCategories));
  std::ranges::sort(order);
  return order;
}

std::string cell_text(size_t count) {
  if (count < 10000) return std::to_string(count);
  return count < 1000000 ? fmt::format("{}k", count / 1000) : fmt::format("{}M", count / 1000000);
}

/// A row for what objects are, a column for what they are taken for; the shade is the share of the row. The last row
/// and column are those that are not shown, and background.
class MatrixChart {
 public:
  MatrixChart(const Evaluation& evaluation, const ConfusionMatrix& matrix) : shown_(shown_categories(matrix)) {
    for (const size_t k : shown_) names_.push_back(shortened_to(category_label(evaluation, k), kLongestCategory));
    has_others_ = shown_.size() < matrix.num_categories;
    if (has_others_) names_.emplace_back("other categories");
    names_.emplace_back("background");
    counts_.assign(names_.size(), std::vector<size_t>(names_.size()));
    for (const auto& [actual, predicted, count] : matrix.cells)
      counts_[place(actual, matrix.num_categories)][place(predicted, matrix.num_categories)] += count;
  }

  Svg draw() const {
    size_t longest = 0;
    for (const std::string& name : names_) longest = std::max(longest, text_columns(name));
    const double label = kCharacterWidth * static_cast<double>(longest),
                 side = kCell * static_cast<double>(names_.size());
    const double left = 2 * kMatrixEdge + label + 16, top = 60 + 0.9 * label,
                 width = left + side + std::max(kMatrixEdge, label * 0.5);
    const double height = top + side + kMatrixEdge;
    Svg svg(width, height, chart_css(), "Confusion matrix",
            "A row for each category of objects, a column for what they were taken for. Numbers are counts; the table "
            "beside "
            "has the largest confusions.");
    svg.rectangle({}, width, height, "paper");
    svg.text({kMatrixEdge, 20}, "Confusion matrix", "title");
    svg.text({kMatrixEdge, 38}, "down: what objects are; across: what they are taken for", "");
    for (size_t row = 0; row < names_.size(); ++row) {
      svg.text({left - 8, top + kCell * (static_cast<double>(row) + 0.6)}, names_[row], "end");
      svg.text({left + kCell * (static_cast<double>(row) + 0.6), top - 8}, names_[row], "", -60);
      draw_row(svg, row, {left, top + kCell * static_cast<double>(row)});
    }
    return svg;
  }

 private:
  size_t place(size_t category, size_t background) const {
    if (category == background) return names_.size() - 1;
    const auto found = std::ranges::lower_bound(shown_, category);
    return found != shown_.end() && *found == category ? static_cast<size_t>(found - shown_.begin()) : shown_.size();
  }

  void draw_row(Svg& svg, size_t row, Point corner) const {
    const size_t sum = std::accumulate(counts_[row].begin(), counts_[row].end(), size_t{0});
    for (size_t column = 0; column < names_.size(); ++column) {
      const size_t count = counts_[row][column];
      const Point at{corner.x + kCell * static_cast<double>(column), corner.y};
      const double share = sum == 0 ? 0 : static_cast<double>(count) / static_cast<double>(sum);
      if (count > 0) svg.rectangle(at, kCell, kCell, row == column ? "cell" : "miss", share);
      svg.rectangle(at, kCell, kCell, "frame");
      if (count > 0)
        svg.text({at.x + kCell / 2, at.y + kCell / 2 + 4}, cell_text(count), share > 0.55 ? "middle light" : "middle");
    }
  }

  std::vector<size_t> shown_;
  bool has_others_ = false;
  std::vector<std::string> names_;
  std::vector<std::vector<size_t>> counts_;
};

std::string confusions_table(const Evaluation& evaluation, const ConfusionMatrix& matrix) {
  if (matrix.most_confused.empty()) return "<p>No object was taken for another category.</p>\n";
  std::map<size_t, size_t> objects;
  for (const auto& cell : matrix.cells) objects[cell.actual] += cell.count;
  std::string html =
      "<table>\n<caption>The largest confusions between two categories; the share is of the objects of the "
      "first.</caption>\n" +
      html_head({"object", "taken for", "number", "share"}) + "<tbody>\n";
  for (const auto& [actual, predicted, count] : matrix.most_confused)
    html += "<tr>" + html_row_name(category_label(evaluation, actual)) +
            html_words(category_label(evaluation, predicted)) + html_cell(count_text(static_cast<int64_t>(count))) +
            html_cell(share_text(static_cast<double>(count) / static_cast<double>(objects[actual]))) + "</tr>\n";
  return html_scroll("Table of confusions", html + "</tbody></table>\n");
}

}  // namespace

Section confusion_section(const EvaluationReport& report) {
  Section section{"confusion", "Confusion of categories"};
  const auto& analysis = report.evaluation.analysis;
  if (!analysis || analysis->confusion.cells.empty()) return section;
  const ConfusionMatrix& matrix = analysis->confusion;
  section.markup =
      fmt::format(
          "<p>Detections with a score of at least {:.3f}, and objects that they overlap by an IoU of {:.2f} or more, "
          "whatever "
          "their categories. Background as an object: a detection where nothing is; as a detection: an object that was "
          "not "
          "found.{}</p>\n",
          analysis->score_threshold, analysis->iou_threshold,
          matrix.num_categories > kMostCategories
              ? fmt::format(" The matrix shows the {} categories that are confused most; report.json has all of them.",
                            kMostCategories)
              : std::string()) +
      html_scroll("Confusion matrix", section.figure("confusion", MatrixChart(report.evaluation, matrix).draw())) +
      confusions_table(report.evaluation, matrix);
  return section;
}

}  // namespace effdet::cli
