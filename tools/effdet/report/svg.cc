// Writes SVG elements with escaped text.
#include "report/svg.h"

#include <fmt/format.h>

#include "report/xml_text.h"

namespace effdet::cli {

Svg::Svg(double width, double height, std::string_view css, std::string_view label, std::string_view description)
    : width_(width), height_(height), css_(css) {
  if (!label.empty()) {
    head_ = fmt::format(" role=\"img\" aria-label=\"{}\"", xml_text(label));
    title_ = fmt::format("<title>{}</title>\n", xml_text(label));
  }
  if (!description.empty()) body_ = fmt::format("<desc>{}</desc>\n", xml_text(description));
}

std::string Svg::file() const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" "
      "height=\"{1:g}\"{2}>\n{3}<style>\n{4}</style>\n{5}</svg>\n",
      width_, height_, head_, title_, css_, body_);
}

std::string Svg::markup() const {
  return fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" height=\"{1:g}\"{2}>\n{3}</svg>\n", width_,
      height_, head_, body_);
}

void Svg::rectangle(Point corner, double width, double height, std::string_view style, double opacity) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"{}/>\n",
                       corner.x, corner.y, width, height, style,
                       opacity < 1 ? fmt::format(" fill-opacity=\"{:.2f}\"", opacity) : std::string());
}

void Svg::lines(const std::vector<Point>& points, std::string_view style) {
  body_ += "<polyline points=\"";
  for (const Point& point : points) body_ += fmt::format("{:.1f},{:.1f} ", point.x, point.y);
  body_ += fmt::format("\" class=\"{}\"/>\n", style);
}

void Svg::image(Point corner, double width, double height, std::string_view address) {
  body_ += fmt::format("<image x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" href=\"{}\"/>\n", corner.x,
                       corner.y, width, height, xml_text(address));
}

void Svg::line(Point from, Point to, std::string_view style) {
  body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", from.x, from.y,
                       to.x, to.y, style);
}

void Svg::curve(Point from, Point leaving, Point arriving, Point to, std::string_view style) {
  body_ += fmt::format("<path d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\" class=\"{}\"/>\n", from.x,
                       from.y, leaving.x, leaving.y, arriving.x, arriving.y, to.x, to.y, style);
}

void Svg::polygon(const std::vector<Point>& corners, std::string_view style) {
  body_ += "<polygon points=\"";
  for (const Point& corner : corners) body_ += fmt::format("{:.1f},{:.1f} ", corner.x, corner.y);
  body_ += fmt::format("\" class=\"{}\"/>\n", style);
}

void Svg::circle(Point centre, double radius, std::string_view style, std::string_view tooltip) {
  body_ +=
      fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}\">", centre.x, centre.y, radius, style);
  if (!tooltip.empty()) body_ += fmt::format("<title>{}</title>", xml_text(tooltip));
  body_ += "</circle>\n";
}

void Svg::text(Point at, std::string_view text, std::string_view style, double degrees) {
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\"", at.x, at.y, style);
  if (degrees != 0) body_ += fmt::format(" transform=\"rotate({:.1f} {:.1f} {:.1f})\"", degrees, at.x, at.y);
  body_ += fmt::format(">{}</text>\n", xml_text(text));
}

}  // namespace effdet::cli
