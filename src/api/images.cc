// Pictures in and out of the public API.
#include <algorithm>

#include "api/image_view.h"
#include "base/error.h"
#include "base/file.h"
#include "vision/decode.h"
#include "vision/draw.h"
#include "vision/encode.h"

namespace effdet {
namespace api {

Image to_image(const RgbImage& image) {
  const auto expected =
      static_cast<size_t>(std::max(image.width, 0)) * static_cast<size_t>(std::max(image.height, 0)) * 3;
  if (expected == 0 || image.pixels.size() != expected)
    fail(ErrorCode::kUsage, "an image of {} x {} pixels with {} bytes, not {}", image.width, image.height,
         image.pixels.size(), expected);
  Image copy(image.width, image.height);
  std::ranges::copy(image.pixels, copy.pixels().begin());
  return copy;
}

RgbImage from_image(const Image& image) {
  return {image.width(), image.height(), {image.pixels().begin(), image.pixels().end()}};
}

}  // namespace api

RgbImage read_image(const std::filesystem::path& path) { return api::from_image(decode_image(path)); }

void write_image(const std::filesystem::path& path, const RgbImage& image) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  if (extension == ".png") return write_file(path, encode_png(api::to_image(image)));
  if (extension == ".jpg" || extension == ".jpeg") return write_file(path, encode_jpeg(api::to_image(image)));
  fail(ErrorCode::kUsage, "{}: pictures are written as .jpg or .png", path.string());
}

RgbImage annotate(const RgbImage& image, std::span<const Detection> detections,
                  std::span<const std::string> class_names) {
  std::vector<LabelledBox> boxes;
  for (const Detection& found : detections) {
    const auto index = static_cast<size_t>(found.category - 1);
    const std::string name = index < class_names.size() ? class_names[index] : fmt::format("class {}", found.category);
    boxes.push_back(
        {found.x1, found.y1, found.x2, found.y2, fmt::format("{} {:.2f}", name, found.score), found.category});
  }
  std::ranges::reverse(boxes);  // the best lie on top
  Image picture = api::to_image(image);
  draw_detections(picture, boxes);
  return api::from_image(picture);
}

RgbImage contact_sheet(std::span<const RgbImage> images, int columns, int cell, std::span<const std::string> captions) {
  std::vector<Image> pictures;
  for (const RgbImage& image : images) pictures.push_back(api::to_image(image));
  return api::from_image(contact_sheet(std::span<const Image>(pictures), columns, cell, captions));
}

}  // namespace effdet
