// Tries a dozen places for each label and takes the one that hides least.
#include "vision/label_layout.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace effdet::vision {
namespace {

float overlap(const Area& a, const Area& b) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return width > 0 && height > 0 ? width * height : 0;
}

float size_of_area(const Area& area) { return area.width() * area.height(); }

/// Left upper corners around and in the box, the most natural ones first.
std::vector<LabelPlace> candidates(const Area& box, ImageSize label) {
  const int left = static_cast<int>(std::floor(box.x1)), top = static_cast<int>(std::floor(box.y1)),
            right = static_cast<int>(std::ceil(box.x2)), bottom = static_cast<int>(std::ceil(box.y2));
  const int width = label.width, height = label.height;
  std::vector<LabelPlace> places{
      {left, top - height},
      {right - width, top - height},
      {left, bottom},
      {right - width, bottom},
      {left, top},
      {right - width, top},
      {left, bottom - height},
      {right - width, bottom - height},
      {left - width, top},
      {right, top},
      {left - width, bottom - height},
      {right, bottom - height},
  };
  for (int row = 2; row <= 4; ++row) {  // a little away
    places.push_back({left, top - row * height});
    places.push_back({left, bottom + (row - 1) * height});
  }
  return places;
}

class LabelLayout {
 public:
  LabelLayout(ImageSize image, std::span<const Area> boxes) : image_(image), boxes_(boxes) {}

  std::optional<LabelPlace> place(const Area& box, ImageSize label) {
    if (label.width > image_.width || label.height > image_.height)
      label = {std::min(label.width, image_.width), label.height};
    std::optional<LabelPlace> best;
    float least = 0, order = 0;
    for (LabelPlace place : candidates(box, label)) {
      place.x = std::clamp(place.x, 0, std::max(0, image_.width - label.width));
      place.y = std::clamp(place.y, 0, std::max(0, image_.height - label.height));
      const Area area = area_of(place, label);
      if (std::ranges::any_of(taken_, [&](const Area& other) { return overlap(area, other) > 0; })) continue;
      const float cost = hidden(area) + kStep * order++;
      if (best && cost >= least) continue;
      best = place;
      least = cost;
    }
    if (best) taken_.push_back(area_of(*best, label));
    return best;
  }

 private:
  /// What a place is worth that stands one later in the list: this part of a label that hides a large box.
  static constexpr float kStep = 0.02f;

  static Area area_of(const LabelPlace& place, ImageSize label) {
    return {static_cast<float>(place.x), static_cast<float>(place.y), static_cast<float>(place.x + label.width),
            static_cast<float>(place.y + label.height)};
  }

  /// How much of boxes an area covers: a box that it covers whole counts fully, however small it is, and a large one as
  /// the part of the label that lies on it.
  float hidden(const Area& area) const {
    float cost = 0;
    for (const Area& box : boxes_) {
      const float common = overlap(area, box);
      if (common == 0) continue;
      cost += common / size_of_area(box) * 4 + common / size_of_area(area) * 0.1f;
    }
    return cost;
  }

  ImageSize image_;
  std::span<const Area> boxes_;
  std::vector<Area> taken_;
};

}  // namespace

std::vector<std::optional<LabelPlace>> place_labels(ImageSize image, std::span<const Area> boxes,
                                                    std::span<const ImageSize> labels) {
  LabelLayout layout(image, boxes);
  std::vector<std::optional<LabelPlace>> places(boxes.size());
  for (size_t i = boxes.size(); i-- > 0;)
    if (labels[i].width > 0) places[i] = layout.place(boxes[i], labels[i]);
  return places;
}

}  // namespace effdet::vision
