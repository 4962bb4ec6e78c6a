// What charts share: style, ticks, axes, keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/svg.h"

namespace effdet::cli {

/// Rules for everything that charts draw, for light and dark backgrounds. Lines and bars have classes "c0" to "c7",
/// colours that colour-blind readers tell apart, each with dashes of its own; "r0" to "r9" are steps of one colour.
std::string_view chart_css();

/// Width of most charts, in pixels: that of a phone, so that texts keep their size there.
inline constexpr double kChartWidth = 400;
/// About the widths of a character of the charts' fonts.
inline constexpr double kCharacterWidth = 6.7, kTitleCharacterWidth = 7.8;

struct Axis {
  std::string name;
  double low = 0, high = 1;
  bool percent = false;  ///< numbers are shares
};

/// 1, 2 or 5 times a power of ten: the least that takes no more than `most` steps to `range`, which is above 0.
double tick_step(double range, int most);
/// A number as short as it can be told from its neighbours a step away.
std::string tick_text(const Axis& axis, double value, double step);

/// A rectangle with an axis below and one on the left, into which values are drawn.
class Plot {
 public:
  struct Frame {
    double left, top, right, bottom;
  };
  /// Draws grid, numbers and names of the axes.
  Plot(Svg& svg, const Frame& frame, const Axis& x, const Axis& y);

  /// Where values lie; what is outside of the axes is moved to their ends.
  Point at(double x, double y) const;
  const Frame& frame() const { return frame_; }

 private:
  Frame frame_;
  Axis x_, y_;
};

/// One entry of a key: how it is drawn and what it stands for.
struct KeyEntry {
  std::string style, text;
  bool is_line = false;
};
/// Height that draw_key() takes within the width.
double key_height(const std::vector<KeyEntry>& key, double width);
/// Entries beside each other, in as many rows as they need.
void draw_key(Svg& svg, Point corner, double width, const std::vector<KeyEntry>& key);

}  // namespace effdet::cli
