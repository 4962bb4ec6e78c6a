// Expands lists in braces from left to right.
#include "brace_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostNames = 1000000;

/// Place of the brace that closes the one at `open`; npos where there is none.
size_t closing_brace(std::string_view text, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_one = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return is_one && value > -INT64_C(1000000000000) && value < INT64_C(1000000000000) ? std::optional(value)
                                                                                     : std::nullopt;
}

void require_few(size_t names) {
  if (names > kMostNames)
    throw Error(ErrorCode::kUsage, fmt::format("a list in braces of more than {} names", kMostNames));
}

/// What "000..003" stands for; nothing where it is no range.
std::vector<std::string> range(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return {};
  const std::string_view first = text.substr(0, dots), last = text.substr(dots + 2);
  const auto begin = number(first), end = number(last);
  if (!begin || !end) return {};
  const auto is_padded = [](std::string_view digits) { return digits.size() > 1 && digits[0] == '0'; };
  const size_t width = is_padded(first) || is_padded(last) ? std::max(first.size(), last.size()) : 0;
  const int64_t step = *begin <= *end ? 1 : -1;
  require_few(static_cast<size_t>((*end - *begin) * step) + 1);
  std::vector<std::string> names;
  for (int64_t value = *begin; value != *end + step; value += step)
    names.push_back(fmt::format("{:0{}}", value, width));
  return names;
}

/// The parts between commas that are in no further braces.
std::vector<std::string> parts(std::string_view text) {
  std::vector<std::string> found(1);
  size_t depth = 0;
  for (const char c : text) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (c == ',' && depth == 0) {
      found.emplace_back();
    } else {
      found.back() += c;
    }
  }
  return found;
}

/// Of what is between braces; nothing where that is no list.
std::vector<std::string> alternatives(std::string_view text) {
  std::vector<std::string> names = range(text);
  if (!names.empty()) return names;
  const std::vector<std::string> listed = parts(text);
  if (listed.size() == 1) return {};
  for (const std::string& part : listed) std::ranges::move(brace_expansion(part), std::back_inserter(names));
  return names;
}

}  // namespace

std::vector<std::string> brace_expansion(const std::string& pattern) {
  for (size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const size_t close = closing_brace(pattern, open);
    if (close == std::string::npos) break;
    const std::vector<std::string> middles = alternatives(std::string_view(pattern).substr(open + 1, close - open - 1));
    if (middles.empty()) continue;
    const std::vector<std::string> ends = brace_expansion(pattern.substr(close + 1));
    require_few(middles.size() * ends.size());
    std::vector<std::string> names;
    for (const std::string& middle : middles)
      for (const std::string& end : ends) names.push_back(pattern.substr(0, open) + middle + end);
    return names;
  }
  return {pattern};
}

}  // namespace effdet::cli
