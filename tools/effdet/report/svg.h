// Images as SVG: a few shapes, styled by classes of one style sheet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace effdet::cli {

struct Point {
  double x = 0, y = 0;
};

/// Shapes in the order in which they are drawn. Coordinates are pixels from the top left corner; `style` is the value
/// of a class attribute; every text is escaped, whatever is in it.
class Svg {
 public:
  /// css: rules for the classes that shapes name, which belong to the file alone. label: what screen readers call the
  /// image; description: what they say of it, for those who do not see it.
  Svg(double width, double height, std::string_view css, std::string_view label = {},
      std::string_view description = {});

  void rectangle(Point corner, double width, double height, std::string_view style, double opacity = 1);
  void line(Point from, Point to, std::string_view style);
  /// Straight from each point to the next.
  void lines(const std::vector<Point>& points, std::string_view style);
  /// A cubic curve.
  void curve(Point from, Point leaving, Point arriving, Point to, std::string_view style);
  void polygon(const std::vector<Point>& corners, std::string_view style);
  /// tooltip: shown while the pointer is over the circle; may have several lines.
  void circle(Point centre, double radius, std::string_view style, std::string_view tooltip = {});
  /// degrees: turned about `at`, clockwise.
  void text(Point at, std::string_view text, std::string_view style, double degrees = 0);
  /// An image file, by its address.
  void image(Point corner, double width, double height, std::string_view address);

  /// The image as a file of its own.
  std::string file() const;
  /// The image as part of a page, whose style sheet has the rules.
  std::string markup() const;

 private:
  double width_, height_;
  std::string css_, head_, title_, body_;
};

}  // namespace effdet::cli
