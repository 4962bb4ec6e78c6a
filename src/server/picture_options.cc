// Reads options of detection from a query.
#include "server/picture_options.h"

#include <algorithm>

#include "base/ascii.h"
#include "server/http_error.h"
#include "server/text.h"

namespace effdet::server {
namespace {

template <typename T>
T query_number(const std::string& name, const std::string& text, T low, T high) {
  const auto value = whole_number<T>(text);
  if (!value || !(*value >= low && *value <= high))
    throw HttpError(400, "{}={}: expected a number from {} to {}", name, text, low, high);
  return *value;
}

int category_of(const std::string& wanted, std::span<const std::string> class_names) {
  for (size_t i = 0; i < class_names.size(); ++i)
    if (same_letters(class_names[i], wanted)) return static_cast<int>(i) + 1;
  const auto number = whole_number<int>(wanted);
  if (number && *number >= 1 && *number <= static_cast<int>(class_names.size())) return *number;
  throw HttpError(400, "classes: '{}' is none of the model's {} classes", wanted, class_names.size());
}

void read_categories(const std::string& text, std::span<const std::string> class_names, std::vector<int>& categories) {
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    categories.push_back(category_of(text.substr(begin, end - begin), class_names));
    begin = end + 1;
  }
}

}  // namespace

DetectOptions picture_options(const Target& target, DetectOptions options, std::span<const std::string> class_names) {
  constexpr int kMostDetections = 10000;
  for (const auto& [name, value] : target.query) {
    if (name == "score") {
      options.score_threshold = query_number(name, value, 0.0f, 1.0f);
    } else if (name == "iou") {
      options.iou_threshold = query_number(name, value, 0.0f, 1.0f);
    } else if (name == "max") {
      options.max_detections = query_number(name, value, 1, kMostDetections);
    } else if (name == "classes") {
      read_categories(value, class_names, options.categories);
    } else if (name != "timeout" && name != "priority") {
      throw HttpError(400, "the query has '{}': expected score, iou, max, classes, timeout or priority", name);
    }
  }
  return options;
}

}  // namespace effdet::server
