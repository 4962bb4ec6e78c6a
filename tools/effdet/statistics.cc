// Mean, median and percentiles of times.
#include "statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace effdet::cli {
namespace {

double of_sorted(const std::vector<double>& values, double part) {
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return of_sorted(values, part);
}

Statistics statistics_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {values.size(),          values.front(),         sum / static_cast<double>(values.size()),
          of_sorted(values, 0.5), of_sorted(values, 0.9), of_sorted(values, 0.99),
          values.back()};
}

nlohmann::json statistics_json(const Statistics& s) {
  return {{"count", s.count}, {"min", s.min}, {"mean", s.mean}, {"p50", s.p50},
          {"p90", s.p90},     {"p99", s.p99}, {"max", s.max}};
}

std::vector<std::string> statistics_headings(const std::string& first) {
  return {first, "count", "min ms", "mean", "p50", "p90", "p99", "max"};
}

std::vector<std::string> statistics_cells(const std::string& name, const Statistics& s) {
  std::vector<std::string> cells{name, std::to_string(s.count)};
  for (const double value : {s.min, s.mean, s.p50, s.p90, s.p99, s.max}) cells.push_back(fmt::format("{:.3f}", value));
  return cells;
}

}  // namespace effdet::cli
