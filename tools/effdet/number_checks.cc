// Reads numbers of flags by std::from_chars, and says which ones are taken.
#include "number_checks.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace effdet::cli {
namespace {

template <typename T>
bool parse(const std::string& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename T>
CLI::Validator whole_between(T low, T high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        T number = 0;
        if (!parse(text, number) || number < low || number > high)
          return fmt::format("'{}' is no whole number of {} to {}", text, low, high);
        text = std::to_string(number);
        return std::string();
      },
      "");
}

}  // namespace

CLI::Validator between(int low, int high) { return whole_between<int64_t>(low, high); }

CLI::Validator whole_number() { return whole_between<uint64_t>(0, std::numeric_limits<uint64_t>::max()); }

CLI::Validator real_between(double low, double high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        double number = 0;
        if (parse(text, number) && number >= low && number <= high) return std::string();
        if (std::isfinite(high)) return fmt::format("'{}' is no number of {} to {}", text, low, high);
        return std::isfinite(low) ? fmt::format("'{}' is no number of at least {}", text, low)
                                  : fmt::format("'{}' is no number", text);
      },
      "");
}

CLI::Validator real_above(double low) { return real_between(low, std::numeric_limits<double>::infinity()); }

CLI::Validator real_number() { return real_above(-std::numeric_limits<double>::infinity()); }

}  // namespace effdet::cli
