// Reads and looks up the lines of a category map.
#include "dataset/category_map.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "dataset/formats/records.h"
#include "eval/coco_json.h"

namespace effdet::dataset {

std::vector<CategoryLine> read_category_map(const std::filesystem::path& file) {
  std::vector<CategoryLine> lines;
  std::set<std::string> known;
  for_each_line(file, [&](std::string_view text, const std::string& where) {
    if (text.starts_with('#')) return;
    const std::vector<std::string> columns = csv_columns(text);
    if (columns.size() != 2) bad_input("{}: {} columns, not 2: a line is class,category", where, columns.size());
    CategoryLine line{std::string(trimmed(columns[0])), std::string(trimmed(columns[1])), where};
    if (lines.empty() && line.from == "class" && line.to == "category") return;
    if (line.from.empty() || line.to.empty())
      bad_input("{}: the {} is empty: a line is class,category", where, line.from.empty() ? "class" : "category");
    if (!known.insert(line.from).second) bad_input("{}: class '{}' is mapped twice", where, eval::printable(line.from));
    lines.push_back(std::move(line));
  });
  if (lines.empty()) bad_input("{}: no line class,category", file.string());
  return lines;
}

std::optional<int64_t> find_category(const eval::GroundTruth& dataset, const std::string& text) {
  const auto& categories = dataset.categories;
  const int64_t id = dataset.category_ids.parse(text);
  if (std::ranges::find(categories, id, &eval::Category::id) != categories.end()) return id;
  const auto count = std::ranges::count(categories, text, &eval::Category::name);
  if (count > 1)
    bad_input("{} categories of the annotations are called '{}': give the id of one", count, eval::printable(text));
  if (count == 0) return std::nullopt;
  return std::ranges::find(categories, text, &eval::Category::name)->id;
}

int64_t category_of_line(const eval::GroundTruth& dataset, const CategoryLine& line) {
  const std::optional<int64_t> id = find_category(dataset, line.to);
  if (!id)
    bad_input("{}: category '{}' is neither an id nor a name of the annotations' {} categories", line.where,
              eval::printable(line.to), dataset.categories.size());
  return *id;
}

std::unordered_map<int64_t, int64_t> read_result_map(const std::filesystem::path& file,
                                                     const eval::GroundTruth& dataset) {
  std::unordered_map<int64_t, int64_t> map;
  for (const CategoryLine& line : read_category_map(file)) {
    const int64_t from = eval::StringIds().parse(line.from);
    if (from == eval::StringIds::kUnknown)
      bad_input("{}: class '{}' is no whole number, as the category_id of results is", line.where,
                eval::printable(line.from));
    map.emplace(from, category_of_line(dataset, line));
  }
  return map;
}

}  // namespace effdet::dataset
