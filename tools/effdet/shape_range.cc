// Multiplies out ranges and lists of dimensions.
#include "shape_range.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "effdet/error.h"
#include "plans.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostShapes = 10000;

constexpr const char* kForm = "name:1,3,200~224,128-256; a range is a~b, values are a-b-c";

[[noreturn]] void refuse(const std::string& flag, const std::string& text) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is not of the form {}", flag, text, kForm));
}

int64_t number(const std::string& flag, const std::string& text, std::string_view part) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (error != std::errc() || stop != part.data() + part.size() || value < 1 || value > INT32_MAX) refuse(flag, text);
  return value;
}

/// The values of one dimension.
std::vector<int64_t> values_of(const std::string& flag, const std::string& text, std::string_view part) {
  std::vector<int64_t> values;
  if (const size_t tilde = part.find('~'); tilde != std::string_view::npos) {
    const int64_t first = number(flag, text, part.substr(0, tilde)), last = number(flag, text, part.substr(tilde + 1));
    if (first > last || last - first >= static_cast<int64_t>(kMostShapes)) refuse(flag, text);
    for (int64_t value = first; value <= last; ++value) values.push_back(value);
    return values;
  }
  for (;;) {
    const size_t dash = part.find('-');
    values.push_back(number(flag, text, part.substr(0, dash)));
    if (dash == std::string_view::npos) return values;
    part.remove_prefix(dash + 1);
  }
}

}  // namespace

std::vector<std::string> expand_shape_range(const std::string& flag, const std::string& text) {
  std::vector<std::string> shapes = {""};
  // Each piece up to the next separator is a name or a dimension; what it stands for is put behind all shapes so far.
  const auto append = [&](const std::vector<std::string>& pieces) {
    if (pieces.size() > kMostShapes / shapes.size())
      throw Error(ErrorCode::kUsage, fmt::format("{}: more than {} shapes", flag, kMostShapes));
    std::vector<std::string> longer;
    for (const std::string& shape : shapes)
      for (const std::string& piece : pieces) longer.push_back(shape + piece);
    shapes = std::move(longer);
  };
  for (const auto& [name, all_dims] : split_named_shapes(flag, text, kForm)) {
    append({(shapes[0].empty() ? "" : ";") + name});
    std::string_view dims = all_dims;
    for (char before = ':';; before = ',') {
      const size_t comma = dims.find(',');
      std::vector<std::string> pieces;
      for (const int64_t value : values_of(flag, text, dims.substr(0, comma)))
        pieces.push_back(fmt::format("{}{}", before, value));
      append(pieces);
      if (comma == std::string_view::npos) break;
      dims.remove_prefix(comma + 1);
    }
  }
  if (shapes[0].empty()) refuse(flag, text);
  return shapes;
}

}  // namespace effdet::cli
