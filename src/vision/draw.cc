// Boxes with smooth edges, and their labels on top of all of them.
#include "vision/draw.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vision/label_layout.h"
#include "vision/palette.h"
#include "vision/typeface.h"

namespace effdet::vision {
namespace {

/// Lines and letters grow with the image.
struct Measures {
  explicit Measures(ImageSize image, float line_width) {
    const float side = static_cast<float>(image.width + image.height) / 2;
    line = line_width > 0 ? line_width : std::max(2.0f, std::round(side * 0.003f));
    letters = std::max(11, static_cast<int>(side * 0.025f));
    pad = std::max(1, letters / 6);
  }
  float line;
  int letters, pad;  ///< height of letters, and what is left around them, in pixels
};

/// How much of a pixel lies between two coordinates.
float cover(float begin, float end, int pixel) {
  const float at = static_cast<float>(pixel);
  return std::clamp(std::min(end, at + 1) - std::max(begin, at), 0.0f, 1.0f);
}

/// Pixels of a row take that part of the colour.
void blend(uint8_t* row, int x_begin, int x_end, float part, const Colour& colour) {
  for (int x = x_begin; x < x_end; ++x)
    for (int channel = 0; channel < 3; ++channel) {
      uint8_t& pixel = row[3 * x + channel];
      const float value = pixel + part * (colour[channel] - pixel);
      pixel = static_cast<uint8_t>(value + 0.5f);
    }
}

/// Paints an area; a pixel that it covers in part takes that part of the colour.
void fill_smooth(Image& image, const Area& area, const Colour& colour) {
  const int x_begin = std::max(0, static_cast<int>(area.x1)), y_begin = std::max(0, static_cast<int>(area.y1));
  const int x_end = std::min(image.width(), static_cast<int>(std::ceil(area.x2)));
  const int y_end = std::min(image.height(), static_cast<int>(std::ceil(area.y2)));
  if (x_begin >= x_end) return;
  // Only the first and the last pixel of a row can be covered in part.
  const float left = cover(area.x1, area.x2, x_begin), right = cover(area.x1, area.x2, x_end - 1);
  for (int y = y_begin; y < y_end; ++y) {
    const float part = cover(area.y1, area.y2, y);
    uint8_t* row = image.row(y);
    blend(row, x_begin, x_begin + 1, left * part, colour);
    if (x_end - 1 > x_begin) blend(row, x_end - 1, x_end, right * part, colour);
    if (part == 1)
      for (int x = x_begin + 1; x < x_end - 1; ++x) std::copy_n(colour.data(), 3, row + 3 * x);
    else
      blend(row, x_begin + 1, x_end - 1, part, colour);
  }
}

/// The outline lies inside of the box, and the box inside of the image, so that no side is lost at a border.
void draw_outline(Image& image, const Area& box, float thickness, const Colour& colour) {
  const float t = std::min({thickness, (box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2});
  fill_smooth(image, {box.x1, box.y1, box.x2, box.y1 + t}, colour);
  fill_smooth(image, {box.x1, box.y2 - t, box.x2, box.y2}, colour);
  fill_smooth(image, {box.x1, box.y1 + t, box.x1 + t, box.y2 - t}, colour);
  fill_smooth(image, {box.x2 - t, box.y1 + t, box.x2, box.y2 - t}, colour);
}

bool is_finite(const LabelledBox& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

}  // namespace

void draw_detections(Image& image, std::span<const LabelledBox> boxes, float line_width) {
  const Measures measures(image.size(), line_width);
  const float width = static_cast<float>(image.width()), height = static_cast<float>(image.height());
  std::vector<Area> areas;
  std::vector<TextBitmap> texts;
  std::vector<ImageSize> sizes;
  std::vector<const Colour*> colours;
  for (const LabelledBox& box : boxes) {
    if (!is_finite(box)) continue;
    areas.push_back(
        {std::clamp(std::min(box.x1, box.x2), 0.0f, width), std::clamp(std::min(box.y1, box.y2), 0.0f, height),
         std::clamp(std::max(box.x1, box.x2), 0.0f, width), std::clamp(std::max(box.y1, box.y2), 0.0f, height)});
    colours.push_back(&colour_of(box.color_index));
    draw_outline(image, areas.back(), measures.line, *colours.back());
    texts.push_back(box.label.empty() ? TextBitmap() : render_text(box.label, measures.letters));
    const bool is_empty = texts.back().width == 0;
    sizes.push_back(is_empty ? ImageSize() : ImageSize{texts.back().width + 2 * measures.pad, texts.back().height});
  }
  const auto places = place_labels(image.size(), areas, sizes);
  for (size_t i = 0; i < areas.size(); ++i) {
    if (!places[i]) continue;
    const auto [x, y] = *places[i];
    const Colour& colour = *colours[i];
    image.fill(x, y, x + sizes[i].width, y + sizes[i].height, {colour[0], colour[1], colour[2]});
    draw_text(image, x + measures.pad, y, texts[i], text_colour_on(colour));
  }
}

}  // namespace effdet::vision
