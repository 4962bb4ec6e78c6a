// Finds classes by name or number.
#include "class_choice.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {
namespace {

[[noreturn]] void refuse(const std::string& wanted, const std::vector<std::string>& names) {
  constexpr size_t kMost = 8;
  std::vector<std::string> alike;
  const bool is_number = wanted.find_first_not_of("0123456789") == std::string::npos;
  for (const std::string& name : names)
    if (!is_number && alike.size() < kMost &&
        lower_case(name).find(lower_case(wanted).substr(0, 3)) != std::string::npos)
      alike.push_back(name);
  if (alike.empty())
    for (size_t i = 0; i < std::min(names.size(), kMost); ++i) alike.push_back(names[i]);
  throw Error(ErrorCode::kUsage,
              fmt::format("--classes: '{}' is none of the model's classes ({}{}), and no number from 1 to {}", wanted,
                          fmt::join(alike, ", "), alike.size() < names.size() ? ", ..." : "", names.size()));
}

}  // namespace

std::vector<int> chosen_categories(const std::vector<std::string>& chosen,
                                   const std::vector<std::string>& class_names) {
  std::vector<int> categories;
  for (const std::string& wanted : chosen) {
    const auto same = std::ranges::find_if(
        class_names, [&](const std::string& name) { return lower_case(name) == lower_case(wanted); });
    int number = 0;
    const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
    const bool is_number = error == std::errc() && end == wanted.data() + wanted.size();
    if (same != class_names.end()) {
      categories.push_back(static_cast<int>(same - class_names.begin()) + 1);
    } else if (is_number && number >= 1 && number <= static_cast<int>(class_names.size())) {
      categories.push_back(number);
    } else {
      refuse(wanted, class_names);
    }
  }
  return categories;
}

}  // namespace effdet::cli
