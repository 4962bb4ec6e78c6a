// Bars from left to right, one below the other.
#pragma once

#include <string>
#include <vector>

#include "report/chart.h"

namespace effdet::cli {

struct BarChart {
  struct Bar {
    std::string label;  ///< on its left
    double value = 0;   ///< at least 0
    std::string text;   ///< on its right
    std::string style = "c0";
  };
  std::string title, description;
  Axis axis;                       ///< its name stands above; a high of 0: the largest value
  std::vector<KeyEntry> key = {};  ///< what the bars' styles mean; may be empty
  std::vector<Bar> bars;
  double plot_width = 180;        ///< of the longest bar, in pixels
  bool labels_are_names = false;  ///< identifiers, of a fixed-width font
};

/// As wide as its texts need.
Svg bar_chart(const BarChart& chart);

}  // namespace effdet::cli
