// Writes SVG elements with escaped text.
#include "report/svg.h"

#include <fmt/format.h>

namespace effdet::cli {

/// Other control characters than line ends are no XML at all.
std::string xml_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '&') {
      result += "&amp;";
    } else if (c == '"') {
      result += "&quot;";
    } else if ((code < 0x20 && c != '\n') || code >= 0x7f) {
      result += fmt::format("\\x{:02x}", code);
    } else {
      result += c;
    }
  }
  return result;
}

Svg::Svg(double width, double height, std::string_view css, std::string_view label)
    : body_(fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" "
                        "height=\"{1:g}\"{2}>\n<style>\n{3}</style>\n",
                        width, height,
                        label.empty() ? "" : fmt::format(" role=\"img\" aria-label=\"{}\"", xml_text(label)), css)) {}

void Svg::rectangle(Point corner, double width, double height, std::string_view style) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"/>\n", corner.x,
                       corner.y, width, height, style);
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
