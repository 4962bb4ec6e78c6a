// Images as SVG: a few shapes, styled by classes of one style sheet.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effdet::cli {

/// Text as XML and HTML take it, in quotes too.
std::string xml_text(std::string_view text);

struct Point {
  double x = 0, y = 0;
};

/// Shapes in the order in which they are drawn. Coordinates are pixels from the top left corner; `style` is the value
/// of a class attribute; every text is escaped, whatever is in it.
class Svg {
 public:
  /// css: rules for the classes that shapes name. label: what screen readers say instead of the texts in the image.
  Svg(double width, double height, std::string_view css, std::string_view label = {});

  void rectangle(Point corner, double width, double height, std::string_view style);
  void line(Point from, Point to, std::string_view style);
  /// A cubic curve.
  void curve(Point from, Point leaving, Point arriving, Point to, std::string_view style);
  void polygon(const std::vector<Point>& corners, std::string_view style);
  /// tooltip: shown while the pointer is over the circle; may have several lines.
  void circle(Point centre, double radius, std::string_view style, std::string_view tooltip = {});
  /// degrees: turned about `at`, clockwise.
  void text(Point at, std::string_view text, std::string_view style, double degrees = 0);

  /// The file.
  std::string text() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace effdet::cli
