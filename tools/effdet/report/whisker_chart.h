// Differences with their confidence intervals, one below the other: a dot on a line from the interval's one end to the
// other.
#pragma once

#include <string>
#include <vector>

#include "report/chart.h"

namespace effdet::cli {

struct WhiskerChart {
  struct Row {
    std::string label;  ///< on its left
    double low = 0, value = 0, high = 0;
    std::string text;  ///< on its right
  };
  std::string title, description;
  std::string axis;  ///< its name
  std::vector<Row> rows;
};

/// Intervals that are above 0, below 0 and around it are told apart by colour and by the dot. As wide as its texts
/// need.
Svg whisker_chart(const WhiskerChart& chart);

}  // namespace effdet::cli
