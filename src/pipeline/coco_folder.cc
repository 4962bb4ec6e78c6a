#include "pipeline/coco_folder.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "eval/coco_json.h"
#include "vision/decode.h"

namespace effdet::pipeline {
namespace {

/// effdet's CocoParserCfg.min_img_size.
constexpr int kMinSide = 32;

std::filesystem::path annotations_of(const std::filesystem::path& root) {
  return root / "annotations" / "instances_val2017.json";
}

}  // namespace

std::string stem_of(const CocoImage& image) { return std::filesystem::path(image.file_name).stem().string(); }

CocoFolder::CocoFolder(std::filesystem::path root)
    : root_(std::move(root)), dataset_(read_coco_dataset(annotations_of(root_))) {
  for (const int64_t id : dataset_.sorted_image_ids()) {
    const CocoImage* image = dataset_.find_image(id);
    if (std::min(image->width, image->height) < kMinSide) {
      skipped_.push_back(image->file_name);
    } else {
      images_.push_back(image);
    }
  }
  if (images_.empty())
    bad_input("{}: no images with sides of at least {} pixels", annotations_of(root_).string(), kMinSide);
}

Image CocoFolder::load(const CocoImage& image) const {
  const std::filesystem::path path = path_of(image);
  Image pixels = decode_image(path);
  if (pixels.width() != image.width || pixels.height() != image.height)
    bad_input("{}: the image has {} x {} pixels, but {} says {} x {} (image id {}); correct the annotation file",
              path.string(), pixels.width(), pixels.height(), annotations_of(root_).string(), image.width, image.height,
              image.id);
  return pixels;
}

void CocoFolder::require_unique_stems() const {
  std::unordered_map<std::string, const CocoImage*> owners;
  for (const CocoImage* image : images_) {
    const auto [owner, is_new] = owners.emplace(stem_of(*image), image);
    if (!is_new)
      bad_input("{}: images '{}' and '{}' differ only in folder or extension, and would share their files",
                annotations_of(root_).string(), printable(owner->second->file_name), printable(image->file_name));
  }
}

}  // namespace effdet::pipeline
