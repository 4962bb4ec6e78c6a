// What is said of a list of measured times.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace effdet::cli {

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start);

/// The value below which `part` (0 to 1) of the values lie. Precondition: there are some.
double percentile(std::vector<double> values, double part);

/// All zero for no values.
struct Statistics {
  size_t count = 0;
  double min = 0, mean = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;
};
Statistics statistics_of(std::vector<double> values);

/// {"count": ..., "min": ..., "mean": ..., "p50": ..., "p90": ..., "p99": ..., "max": ...}
nlohmann::json statistics_json(const Statistics& statistics);

/// Headings and cells of a table with a row of statistics, milliseconds with three digits.
std::vector<std::string> statistics_headings(const std::string& first);
std::vector<std::string> statistics_cells(const std::string& name, const Statistics& statistics);

}  // namespace effdet::cli
