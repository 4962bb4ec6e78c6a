// Makes an image smaller row by row, so that it never lies in memory whole.
#include "effdet/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "dataset/formats/records.h"
#include "dataset/image_match.h"
#include "dataset/listed_image.h"
#include "vision/encode.h"
#include "vision/exif.h"
#include "vision/resize.h"

namespace effdet {
namespace {

constexpr int kThumbnailQuality = 72;

/// Where the image lies. Throws Error(kBadInput).
ListedImage place_of(const DataSource& data, const AnalysedImage& image) {
  const std::filesystem::path name(image.file_name);
  if (name.empty() || image.file_name.find('\0') != std::string::npos)
    bad_input("image with id {}: it has no file_name that is one", image.id);
  if (!dataset::stays_inside(name))
    bad_input("image with id {}: file_name '{}' leads out of the folder of the images", image.id, image.file_name);
  if (data.listed.empty()) return {(image_folder(data) / name).string(), ""};
  if (const ListedImage* listed = dataset::best_match(data.listed, image.file_name)) return *listed;
  bad_input("image with id {}: '{}' is not listed", image.id, image.file_name);
}

std::unique_ptr<vision::RowSource> open_analysed(const ListedImage& place, const AnalysedImage& image) {
  int orientation = 1;
  auto rows = dataset::open_stored(place, orientation);
  const auto [width, height] = rows->size();
  if (image.width <= 0 || image.height <= 0 || (width == image.width && height == image.height)) return rows;
  if (width == image.height && height == image.width && vision::swaps_sides(orientation))
    return vision::upright(std::move(rows), orientation);
  bad_input("{}: the image has {} x {} pixels, the annotations say {} x {}", place.name(), width, height, image.width,
            image.height);
}

}  // namespace

Thumbnail image_thumbnail(const DataSource& data, const AnalysedImage& image, int side) {
  if (side < 1) fail(ErrorCode::kUsage, "a thumbnail of {} pixels a side", side);
  const auto rows = open_analysed(place_of(data, image), image);
  const auto [width, height] = rows->size();
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(width, height));
  vision::Image small(std::max(1, static_cast<int>(std::lround(width * scale))),
                      std::max(1, static_cast<int>(std::lround(height * scale))));
  vision::RowResizer resizer(*rows, small.width(), small.height());
  for (int y = 0; y < small.height(); ++y) {
    const uint8_t* planes = resizer.next_row();
    for (int x = 0; x < small.width(); ++x)
      for (int c = 0; c < 3; ++c) small.row(y)[3 * x + c] = planes[c * resizer.plane_stride() + x];
  }
  rows->finish();
  const std::vector<std::byte> jpeg = vision::encode_jpeg(small, kThumbnailQuality);
  Thumbnail thumbnail{width, height, std::vector<unsigned char>(jpeg.size())};
  std::memcpy(thumbnail.jpeg.data(), jpeg.data(), jpeg.size());
  return thumbnail;
}

}  // namespace effdet
