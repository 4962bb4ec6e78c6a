// Pictures in and out of the public API.
#include <algorithm>

#include "api/image_view.h"
#include "base/error.h"
#include "base/file.h"
#include "eval/coco_categories.h"
#include "vision/decode.h"
#include "vision/draw.h"
#include "vision/encode.h"
#include "vision/resize.h"

namespace effdet {
namespace api {
namespace {

void check_pixels(const RgbImage& image) {
  const auto expected =
      static_cast<size_t>(std::max(image.width, 0)) * static_cast<size_t>(std::max(image.height, 0)) * 3;
  if (expected == 0 || image.pixels.size() != expected)
    fail(ErrorCode::kUsage, "an image of {} x {} pixels with {} bytes, not {}", image.width, image.height,
         image.pixels.size(), expected);
}

}  // namespace

vision::Image image_over(RgbImage& image) {
  check_pixels(image);
  return vision::Image::over(image.pixels.data(), {image.width, image.height});
}

vision::Image image_over(const RgbImage& image) { return image_over(const_cast<RgbImage&>(image)); }

vision::PixelRows rows_of(const RgbImage& image, std::string_view name) {
  check_pixels(image);
  return vision::PixelRows(image.pixels.data(), {image.width, image.height}, name);
}

RgbImage from_image(const vision::Image& image) {
  return {image.width(), image.height(), {image.pixels().begin(), image.pixels().end()}};
}

}  // namespace api

RgbImage read_image(const std::filesystem::path& path) {
  const auto rows = vision::open_image(path);
  const auto [width, height] = rows->size();
  RgbImage image{width, height, std::vector<unsigned char>(size_t{3} * static_cast<size_t>(width) * height)};
  rows->read_all(image.pixels.data());
  return image;
}

void write_image(const std::filesystem::path& path, const RgbImage& image) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  if (extension == ".png") return write_file(path, vision::encode_png(api::image_over(image)));
  if (extension == ".jpg" || extension == ".jpeg") return write_file(path, vision::encode_jpeg(api::image_over(image)));
  fail(ErrorCode::kUsage, "{}: pictures are written as .jpg or .png", path.string());
}

RgbImage annotate(RgbImage image, std::span<const Detection> detections, std::span<const std::string> class_names) {
  std::vector<vision::LabelledBox> boxes;
  for (const Detection& found : detections) {
    const auto index = static_cast<size_t>(found.category - 1);
    const std::string name = index < class_names.size() ? class_names[index] : fmt::format("class {}", found.category);
    boxes.push_back(
        {found.x1, found.y1, found.x2, found.y2, fmt::format("{} {:.2f}", name, found.score), found.category});
  }
  std::ranges::reverse(boxes);  // the best lie on top
  vision::Image pixels = api::image_over(image);
  vision::draw_detections(pixels, boxes);
  return image;
}

RgbImage thumbnail(const RgbImage& image, int side) {
  return api::from_image(vision::thumbnail(api::image_over(image), side));
}

std::vector<std::string> class_names_of(const ModelDescription& description) {
  constexpr int kNumCocoCategories = 80;  // as many classes need not be COCO's
  if (!description.class_names.empty()) return description.class_names;
  std::vector<std::string> names;
  if (description.num_classes != kNumCocoCategories) names = eval::coco_class_names(description.num_classes);
  names.resize(static_cast<size_t>(description.num_classes));
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty()) names[i] = fmt::format("class {}", i + 1);
  return names;
}

RgbImage contact_sheet(std::span<const RgbImage> images, int columns, int cell, std::span<const std::string> captions) {
  std::vector<vision::Image> pictures;
  for (const RgbImage& image : images) pictures.push_back(api::image_over(image));
  return api::from_image(vision::contact_sheet(std::span<const vision::Image>(pictures), columns, cell, captions));
}

}  // namespace effdet
