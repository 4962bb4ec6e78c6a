// The first images of a list on one sheet, from the images themselves: a run that was gone on with has the same one.
#include <algorithm>

#include "base/error.h"
#include "dataset/listed_image.h"
#include "detection/annotate.h"
#include "vision/draw.h"
#include "vision/rgb_image.h"

namespace effdet {
namespace {

constexpr int kColumns = 8, kCell = 240;  // in pixels

std::vector<Detection> scaled(std::vector<Detection> detections, vision::ImageSize from, vision::ImageSize to) {
  const float x = static_cast<float>(to.width) / static_cast<float>(from.width),
              y = static_cast<float>(to.height) / static_cast<float>(from.height);
  for (Detection& d : detections) d.x1 *= x, d.x2 *= x, d.y1 *= y, d.y2 *= y;
  return detections;
}

}  // namespace

RgbImage contact_sheet_of(std::span<const ListedImage> list, std::span<const DetectedImage> images,
                          std::span<const std::string> class_names, const DetectImagesOptions& options) {
  std::vector<vision::Image> cells;
  std::vector<std::string> captions;
  auto listed = list.begin();
  for (const DetectedImage& found : images.first(std::min(images.size(), kSheetImages))) {
    listed = std::find_if(listed, list.end(), [&](const ListedImage& image) { return image.name() == found.image; });
    if (listed == list.end()) fail(ErrorCode::kUsage, "{} is not in the list", found.image);
    vision::Image pixels = vision::whole_image(*dataset::open_listed(*listed++, options));
    vision::Image small = vision::thumbnail(pixels, kCell);
    detection::draw(small, scaled(found.detections, pixels.size(), small.size()), class_names, options.draw);
    cells.push_back(std::move(small));
    captions.push_back(std::filesystem::path(found.image).stem().string());
  }
  return vision::from_image(vision::contact_sheet(std::span<const vision::Image>(cells), kColumns, kCell, captions));
}

}  // namespace effdet
