// Boxes with smooth edges and labels, in colours and line widths that suit the image.
#include "vision/draw.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vision/font.h"

namespace effdet::vision {
namespace {

using Colour = uint8_t[3];

// Bright colours that differ from each other, and that black or white text can be read on.
constexpr Colour kColours[] = {{230, 57, 70},  {46, 196, 182}, {255, 183, 3},  {72, 149, 239},
                               {131, 56, 236}, {106, 190, 48}, {255, 112, 67}, {240, 98, 214},
                               {0, 180, 216},  {200, 210, 60}, {160, 110, 70}, {94, 96, 206}};
constexpr Colour kBlack = {0, 0, 0}, kWhite = {255, 255, 255};

const Colour& colour_of(int index) {
  constexpr int kCount = static_cast<int>(std::size(kColours));
  return kColours[(index % kCount + kCount) % kCount];
}

const Colour& text_colour_on(const Colour& background) {
  const int luma = 299 * background[0] + 587 * background[1] + 114 * background[2];
  return luma > 140'000 ? kBlack : kWhite;
}

/// Grows with the image: 1 up to some 500 pixels, 2 at 1000, and so on.
int scale_for(const Image& image) { return std::max(1, (std::max(image.width(), image.height()) + 150) / 500); }

/// A rectangle with fractional sides.
struct Area {
  float x1, y1, x2, y2;
};

/// Paints an area; a pixel that it covers in part takes that part of the colour.
void fill_smooth(Image& image, const Area& area, const Colour& colour) {
  const auto cover = [](float begin, float end, int pixel) {
    const float at = static_cast<float>(pixel);
    return std::clamp(std::min(end, at + 1) - std::max(begin, at), 0.0f, 1.0f);
  };
  const int x_end = std::min(image.width(), static_cast<int>(std::ceil(area.x2)));
  const int y_end = std::min(image.height(), static_cast<int>(std::ceil(area.y2)));
  for (int y = std::max(0, static_cast<int>(area.y1)); y < y_end; ++y)
    for (int x = std::max(0, static_cast<int>(area.x1)); x < x_end; ++x) {
      const float part = cover(area.x1, area.x2, x) * cover(area.y1, area.y2, y);
      uint8_t* pixel = image.row(y) + 3 * x;
      for (int channel = 0; channel < 3; ++channel) {
        const float value = pixel[channel] + part * (colour[channel] - pixel[channel]);
        pixel[channel] = static_cast<uint8_t>(value + 0.5f);
      }
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

/// Above the box where there is room, else inside of it; moved left and down as far as the image demands.
void draw_label(Image& image, const Area& box, const std::string& label, int scale, const Colour& colour) {
  const ImageSize text = text_size(label, scale);
  const int pad = 2 * scale;
  const int width = text.width + 2 * pad - scale, height = text.height + pad;
  const int above = static_cast<int>(box.y1) - height;
  const int y = std::clamp(above >= 0 ? above : static_cast<int>(box.y1), 0, std::max(0, image.height() - height));
  const int x = std::clamp(static_cast<int>(box.x1), 0, std::max(0, image.width() - width));
  image.fill(x, y, x + width, y + height, colour);
  draw_text(image, x + pad, y + pad, label, scale, text_colour_on(colour));
}

bool is_finite(const LabelledBox& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

}  // namespace

void draw_detections(Image& image, std::span<const LabelledBox> boxes) {
  const int scale = scale_for(image);
  const float width = static_cast<float>(image.width()), height = static_cast<float>(image.height());
  for (const LabelledBox& box : boxes) {
    if (!is_finite(box)) continue;
    const Area area{
        std::clamp(std::min(box.x1, box.x2), 0.0f, width), std::clamp(std::min(box.y1, box.y2), 0.0f, height),
        std::clamp(std::max(box.x1, box.x2), 0.0f, width), std::clamp(std::max(box.y1, box.y2), 0.0f, height)};
    const Colour& colour = colour_of(box.color_index);
    draw_outline(image, area, 1.0f + static_cast<float>(scale), colour);
    if (!box.label.empty()) draw_label(image, area, box.label, scale, colour);
  }
}

}  // namespace effdet::vision
