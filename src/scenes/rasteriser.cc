// Coverage of pixels by an outline, from its crossings with sub-lines of each row.
#include "scenes/rasteriser.h"

#include <algorithm>

namespace effdet::scenes {
namespace {

constexpr int kLinesPerPixel = Coverage::kFull / kOne;

/// Where the outline crosses the horizontal line at y, from left to right; an even number of places.
void find_crossings(const Outline& outline, int y, std::vector<int>& crossings) {
  crossings.clear();
  for (const std::vector<Point>& contour : outline) {
    for (size_t i = 0; i < contour.size(); ++i) {
      Point a = contour[i], b = contour[(i + 1) % contour.size()];
      if (a.y > b.y) std::swap(a, b);
      if (a.y > y || b.y <= y) continue;
      crossings.push_back(a.x + static_cast<int>(int64_t{b.x - a.x} * (y - a.y) / (b.y - a.y)));
    }
  }
  std::sort(crossings.begin(), crossings.end());
}

/// Adds the span [from, to), relative to the row's first pixel, to the row's pixels.
void add_span(int from, int to, uint16_t* row) {
  for (int pixel = from / kOne; pixel * kOne < to; ++pixel) {
    const int begin = std::max(from, pixel * kOne), end = std::min(to, (pixel + 1) * kOne);
    row[pixel] = static_cast<uint16_t>(row[pixel] + (end - begin));
  }
}

}  // namespace

Coverage rasterise(const Outline& outline) {
  const Extents extents = extents_of(outline);
  Coverage coverage;
  coverage.left = extents.left / kOne;
  coverage.top = extents.top / kOne;
  coverage.width = extents.right / kOne + 1 - coverage.left;
  coverage.height = extents.bottom / kOne + 1 - coverage.top;
  coverage.values.resize(static_cast<size_t>(coverage.width) * coverage.height);
  std::vector<int> crossings;
  for (int line = 0; line < coverage.height * kLinesPerPixel; ++line) {
    constexpr int kStep = kOne / kLinesPerPixel;
    find_crossings(outline, coverage.top * kOne + line * kStep + kStep / 2, crossings);
    uint16_t* row = &coverage.values[static_cast<size_t>(line / kLinesPerPixel) * coverage.width];
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      add_span(crossings[i] - coverage.left * kOne, crossings[i + 1] - coverage.left * kOne, row);
    }
  }
  return coverage;
}

}  // namespace effdet::scenes
