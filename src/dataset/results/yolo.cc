// Results as YOLO's label files: class index, centre and size in parts of the image's, and the score.
#include <fmt/format.h>

#include "dataset/results/texts.h"

namespace effdet::dataset::results {

std::string yolo_text(const DetectedImage& image, std::span<const std::string>) {
  std::string text;
  const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
  for (const Detection& d : image.detections)
    text += fmt::format("{} {:.6f} {:.6f} {:.6f} {:.6f} {:.6f}\n", d.category - 1, (d.x1 + d.x2) / 2 / width,
                        (d.y1 + d.y2) / 2 / height, (d.x2 - d.x1) / width, (d.y2 - d.y1) / height, d.score);
  return text;
}

}  // namespace effdet::dataset::results
