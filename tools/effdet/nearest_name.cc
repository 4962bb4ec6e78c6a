// Levenshtein distance between names.
#include "nearest_name.h"

#include <algorithm>

namespace effdet::cli {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  constexpr size_t kLongest = 64;  // more is no typing error
  if (name.size() > kLongest || names.empty()) return "";
  const auto distance = [&](const std::string& other) { return edit_distance(name, other); };
  const auto nearest = std::ranges::min_element(names, {}, distance);
  return distance(*nearest) <= 1 + nearest->size() / 3 ? *nearest : "";
}

}  // namespace effdet::cli
