// Line charts: curves in a plane, with a key and marks.
#pragma once

#include <string>
#include <vector>

#include "report/chart.h"

namespace effdet::cli {

struct LineChart {
  struct Curve {
    std::string name;           ///< in the key
    std::vector<Point> points;  ///< values, from left to right
  };
  struct Mark {
    double x = 0;      ///< of a line across the plane
    std::string text;  ///< beside it
  };
  std::string title, description;
  Axis x, y;
  std::vector<Curve> curves;
  std::vector<Mark> marks = {};
  bool is_ramp = false;   ///< curves are steps of one quantity: their colours, too
  bool diagonal = false;  ///< a line from corner to corner
};

/// A key below the plane names the curves, at most eight, or ten of a ramp.
Svg line_chart(const LineChart& chart);

}  // namespace effdet::cli
