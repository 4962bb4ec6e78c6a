// The first images of a run on one sheet, from the images themselves: a run that was gone on with has the same one.
#include <algorithm>

#include "detection/annotate.h"
#include "effdet/detect_images.h"
#include "vision/decode.h"
#include "vision/draw.h"
#include "vision/rgb_image.h"

namespace effdet {
namespace {

constexpr size_t kMost = 48;
constexpr int kColumns = 8, kCell = 240;  // in pixels

}  // namespace

RgbImage contact_sheet_of(std::span<const DetectedImage> images, std::span<const std::string> class_names) {
  std::vector<vision::Image> cells;
  std::vector<std::string> captions;
  for (const DetectedImage& found : images.first(std::min(images.size(), kMost))) {
    vision::Image pixels = vision::decode_image(std::filesystem::path(found.image));
    detection::draw(pixels, found.detections, class_names);
    cells.push_back(vision::thumbnail(pixels, kCell));
    captions.push_back(std::filesystem::path(found.image).stem().string());
  }
  return vision::from_image(vision::contact_sheet(std::span<const vision::Image>(cells), kColumns, kCell, captions));
}

}  // namespace effdet
