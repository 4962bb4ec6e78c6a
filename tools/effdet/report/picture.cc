// Draws boxes as SVG above a JPEG image that is part of the page.
#include "report/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/chart.h"
#include "report/xml_text.h"

namespace effdet::cli {
namespace {

constexpr double kSide = 400;  // of the drawing, whatever the image has
constexpr double kLabelHeight = 15;
constexpr size_t kLongestText = 24, kMostLabels = 8;

std::string base64(const std::vector<unsigned char>& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t k) { return i + k < bytes.size() ? uint32_t{bytes[i + k]} : 0; };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (const int shift : {18, 12, 6, 0}) text += kDigits[group >> shift & 63];
    for (size_t k = i + 3; k > bytes.size(); --k) text[text.size() - (k - bytes.size())] = '=';
  }
  return text;
}

std::string_view style_of(PictureBox::Kind kind) {
  constexpr std::array<std::string_view, 5> kStyles = {"tp", "fp", "fn", "found", "ignored"};
  return kStyles[static_cast<size_t>(kind)];
}

bool is_error(const PictureBox& box) {
  return box.kind == PictureBox::Kind::kFalsePositive || box.kind == PictureBox::Kind::kFalseNegative;
}

struct Area {
  double x = 0, y = 0, width = 0, height = 0;
  bool meets(const Area& other) const {
    return x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height;
  }
};

/// A drawing of kSide pixels whose boxes are in pixels of an image.
class Picture {
 public:
  Picture(double width, double height)
      : scale_(kSide / std::max({width, height, 1.0})),
        width_(std::max(width * scale_, 8.0)),
        height_(std::max(height * scale_, 8.0)) {}

  std::string head(const std::string& label) const {
    return fmt::format("<svg class=\"picture\" viewBox=\"0 0 {:.1f} {:.1f}\" role=\"img\" aria-label=\"{}\">\n", width_,
                       height_, xml_text(label));
  }
  std::string background(const std::optional<Thumbnail>& thumbnail) const {
    if (!thumbnail) return fmt::format("<rect class=\"blank\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n", width_, height_);
    return fmt::format(
        "<image width=\"{:.1f}\" height=\"{:.1f}\" preserveAspectRatio=\"none\" href=\"data:image/jpeg;base64,{}\"/>\n",
        width_, height_, base64(thumbnail->jpeg));
  }
  /// The outline on a white one, which shows on every image.
  std::string outline(const PictureBox& box) const {
    const Area area = area_of(box);
    const auto rectangle = [&](std::string_view style, const std::string& inside) {
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\">{}</rect>",
                         area.x, area.y, area.width, area.height, style, inside);
    };
    return fmt::format("<g class=\"box {}\">", style_of(box.kind)) + rectangle("halo", "") +
           rectangle("line", fmt::format("<title>{}</title>", xml_text(box.text))) + "</g>\n";
  }
  /// The text where no other one is: above the box, in its top, or below. Nothing where there is no room; the list
  /// below the picture has all of them.
  std::string label(const PictureBox& box) {
    const Area area = area_of(box);
    const std::string text = shortened_to(box.text, kLongestText);
    Area place{0, 0, kCharacterWidth * static_cast<double>(text_columns(text)) + 8, kLabelHeight};
    place.x = std::clamp(area.x, 0.0, std::max(width_ - place.width, 0.0));
    for (const double y : {area.y - kLabelHeight, area.y, area.y + area.height}) {
      place.y = std::clamp(y, 0.0, std::max(height_ - kLabelHeight, 0.0));
      if (std::ranges::any_of(taken_, [&](const Area& other) { return place.meets(other); })) continue;
      taken_.push_back(place);
      return fmt::format(
          "<g class=\"box {}\"><rect class=\"tag\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/><text "
          "x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
          style_of(box.kind), place.x, place.y, place.width, place.height, place.x + 4, place.y + 11.5, xml_text(text));
    }
    return "";
  }

 private:
  Area area_of(const PictureBox& box) const {
    const double left = std::clamp(box.box[0] * scale_, -4.0, width_ + 4),
                 top = std::clamp(box.box[1] * scale_, -4.0, height_ + 4);
    const double right = std::clamp((box.box[0] + box.box[2]) * scale_, left, width_ + 4);
    const double bottom = std::clamp((box.box[1] + box.box[3]) * scale_, top, height_ + 4);
    return {left, top, right - left, bottom - top};
  }

  double scale_, width_, height_;
  std::vector<Area> taken_;
};

bool is_finite(const PictureBox& box) {
  return std::ranges::all_of(box.box, [](double value) { return std::isfinite(value); });
}

}  // namespace

std::string picture_markup(const EvaluationReport& report, const AnalysedImage& image,
                           const std::vector<PictureBox>& boxes, const std::string& label) {
  const std::optional<Thumbnail> thumbnail = report.thumbnail ? report.thumbnail(image) : std::nullopt;
  double width = image.width, height = image.height;
  if ((width <= 0 || height <= 0) && thumbnail) {
    width = thumbnail->full_width;
    height = thumbnail->full_height;
  }
  if (width <= 0 || height <= 0) {  // as large as the boxes need
    for (const PictureBox& box : boxes) {
      if (!is_finite(box)) continue;
      width = std::max(width, box.box[0] + box.box[2]);
      height = std::max(height, box.box[1] + box.box[3]);
    }
  }
  Picture picture(width, height);
  std::string html = picture.head(label) + picture.background(thumbnail);
  for (const PictureBox& box : boxes)
    if (is_finite(box)) html += picture.outline(box);
  size_t labels = 0;
  for (const PictureBox& box : boxes)
    if (is_finite(box) && is_error(box) && labels++ < kMostLabels) html += picture.label(box);
  return html + "</svg>\n";
}

std::string_view picture_css() {
  return R"(.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 1.5em 1em }
.gallery figure { margin: 0; min-width: 0; break-inside: avoid } .gallery figcaption { font-size: 13px; overflow-wrap: anywhere }
.picture { display: block; width: 100%; height: auto; max-height: 420px; background: #808080 }
.picture .blank { fill: #8a8f96 } .picture .box rect { fill: none; stroke-width: 2 } .picture .box rect.halo { stroke: #fff; stroke-width: 4; stroke-opacity: .55 }
.picture .tp .line { stroke: #006b4f } .picture .fp .line { stroke: #b03a00; stroke-dasharray: 9 3 }
.picture .fn .line { stroke: #0060a8; stroke-dasharray: 2 3; stroke-width: 3 } .picture .found .line { stroke: #000; stroke-width: 1 }
.picture .ignored .line { stroke: #555; stroke-dasharray: 12 6 }
.picture .box rect.tag { stroke: none } .picture .fp .tag { fill: #b03a00 } .picture .fn .tag { fill: #0060a8 }
.picture text { font: 12px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: #fff }
.toggles { border: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .3em 1.2em; margin-bottom: 1em } .toggles svg { width: 30px; height: 12px; background: none; display: inline; vertical-align: middle }
section:has(#show-tp:not(:checked)) .gallery .tp, section:has(#show-fp:not(:checked)) .gallery .fp, section:has(#show-fn:not(:checked)) .gallery .fn,
section:has(#show-found:not(:checked)) .gallery .found, section:has(#show-ignored:not(:checked)) .gallery .ignored { display: none }
)";
}

}  // namespace effdet::cli
