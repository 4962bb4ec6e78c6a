// The first images of a run on one sheet, from the images themselves: a run that was gone on with has the same one.
#include <algorithm>

#include "base/error.h"
#include "dataset/listed_image.h"
#include "detection/annotate.h"
#include "vision/draw.h"
#include "vision/rgb_image.h"

namespace effdet {
namespace {

constexpr size_t kMost = 48;
constexpr int kColumns = 8, kCell = 240;  // in pixels

}  // namespace

RgbImage contact_sheet_of(std::span<const ListedImage> list, std::span<const DetectedImage> images,
                          std::span<const std::string> class_names, const DetectImagesOptions& options) {
  std::vector<vision::Image> cells;
  std::vector<std::string> captions;
  auto listed = list.begin();
  for (const DetectedImage& found : images.first(std::min(images.size(), kMost))) {
    listed = std::find_if(listed, list.end(), [&](const ListedImage& image) { return image.name() == found.image; });
    if (listed == list.end()) fail(ErrorCode::kUsage, "{} is not in the list", found.image);
    vision::Image pixels = vision::whole_image(*dataset::open_listed(*listed++, options));
    detection::draw(pixels, found.detections, class_names);
    cells.push_back(vision::thumbnail(pixels, kCell));
    captions.push_back(std::filesystem::path(found.image).stem().string());
  }
  return vision::from_image(vision::contact_sheet(std::span<const vision::Image>(cells), kColumns, kCell, captions));
}

}  // namespace effdet
