// Images of the public API: from files, to files, and made smaller.
#include "vision/rgb_image.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "effdet/encoded_image.h"
#include "vision/decode.h"
#include "vision/draw.h"
#include "vision/encode.h"
#include "vision/exif.h"
#include "vision/formats.h"
#include "vision/resize.h"
#include "vision/view_rows.h"

namespace effdet::vision {
namespace {

void check_pixels(const RgbImage& image) {
  const auto expected =
      static_cast<size_t>(std::max(image.width, 0)) * static_cast<size_t>(std::max(image.height, 0)) * 3;
  if (expected == 0 || image.pixels.size() != expected)
    fail(ErrorCode::kUsage, "an image of {} x {} pixels with {} bytes, not {}", image.width, image.height,
         image.pixels.size(), expected);
}

}  // namespace

Image image_over(RgbImage& image) {
  check_pixels(image);
  return Image::over(image.pixels.data(), {image.width, image.height});
}

Image image_over(const RgbImage& image) { return image_over(const_cast<RgbImage&>(image)); }

RgbImage from_image(const Image& image) {
  return {image.width(), image.height(), {image.pixels().begin(), image.pixels().end()}};
}

}  // namespace effdet::vision

namespace effdet {
namespace {

RgbImage all_of(vision::RowSource& rows) {
  const auto [width, height] = rows.size();
  RgbImage image{width, height, std::vector<unsigned char>(size_t{3} * static_cast<size_t>(width) * height)};
  rows.read_all(image.pixels.data());
  return image;
}

}  // namespace

RgbImage read_image(const std::filesystem::path& path) { return all_of(*vision::open_image(path)); }

RgbImage decode_image(std::span<const std::byte> file, std::string_view name) {
  return all_of(*vision::open_image(file, name));
}

RgbImage decode_upright(std::span<const std::byte> file, std::string_view name,
                        const std::function<void(EncodedSize)>& check) {
  std::unique_ptr<vision::RowSource> rows = vision::open_image(file, name);
  if (check) check({rows->size().width, rows->size().height});
  if (const int orientation = vision::image_orientation(file); orientation != 1)
    rows = vision::upright(std::move(rows), orientation);
  return all_of(*rows);
}

ImageView view_of(const RgbImage& image) {
  vision::check_pixels(image);
  return {.data = image.pixels.data(), .width = image.width, .height = image.height};
}

RgbImage to_rgb(const ImageView& view) {
  vision::ViewRows rows(view, "image");
  return all_of(rows);
}

bool is_image_name(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  return std::ranges::any_of(vision::image_formats(), [&](const vision::ImageFormat& format) {
    return format.open != nullptr && std::ranges::find(format.extensions, extension) != format.extensions.end();
  });
}

std::string image_extensions() {
  std::vector<std::string_view> all;
  for (const vision::ImageFormat& format : vision::image_formats())
    for (const std::string_view extension : format.extensions)
      if (format.open != nullptr && std::ranges::find(all, extension) == all.end()) all.push_back(extension);
  return fmt::format("{}", fmt::join(all, ", "));
}

void write_image(const std::filesystem::path& path, const RgbImage& image) {
  const std::string extension = lower_extension(path);
  if (extension == ".png") return write_file(path, vision::encode_png(vision::image_over(image)));
  if (extension == ".jpg" || extension == ".jpeg")
    return write_file(path, vision::encode_jpeg(vision::image_over(image)));
  fail(ErrorCode::kUsage, "{}: images are written as .jpg or .png", path.string());
}

std::vector<std::byte> encode_jpeg(const RgbImage& image, int quality) {
  return vision::encode_jpeg(vision::image_over(image), quality);
}

RgbImage thumbnail(const RgbImage& image, int side) {
  return vision::from_image(vision::thumbnail(vision::image_over(image), side));
}

RgbImage contact_sheet(std::span<const RgbImage> images, int columns, int cell, std::span<const std::string> captions) {
  std::vector<vision::Image> views;
  for (const RgbImage& image : images) views.push_back(vision::image_over(image));
  return vision::from_image(vision::contact_sheet(std::span<const vision::Image>(views), columns, cell, captions));
}

}  // namespace effdet
