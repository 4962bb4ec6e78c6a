// COCO annotation files (instances_*.json), as far as detection needs them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace effdet {

struct CocoImage {
  int64_t id = 0;
  /// Relative path below the image folder; never leads out of it.
  std::string file_name;
  int width = 0, height = 0;
};

struct CocoAnnotation {
  int64_t id = 0, image_id = 0, category_id = 0;
  /// Left, top, width, height in pixels.
  std::array<double, 4> bbox{};
  /// The area that decides between small, medium and large: the segment's in COCO, not the box's.
  double area = 0;
  bool is_crowd = false;
};

struct CocoCategory {
  int64_t id = 0;
  std::string name;
};

/// Images, annotations and categories in the order of the file.
struct CocoDataset {
  std::vector<CocoImage> images;
  std::vector<CocoAnnotation> annotations;
  std::vector<CocoCategory> categories;
  /// Place of each image id in images.
  std::unordered_map<int64_t, size_t> image_index;

  const CocoImage* find_image(int64_t id) const;
  /// In rising order.
  std::vector<int64_t> sorted_image_ids() const;
};

/// Reads an annotation file. Members that detection does not need (info, licenses, segmentation, keypoints, ...) are
/// passed over. Files without annotations or categories load (image_info_test-dev2017.json has none); iscrowd defaults
/// to 0, area to that of the box. Boxes may be empty and may lie outside of the image, as some of COCO's do.
/// Annotations of images that are not listed are kept; evaluation passes over them as pycocotools does.
///
/// Throws Error(kBadInput) naming file, JSON path and, where known, the byte: for JSON that JsonReader refuses, members
/// that are missing or occur twice, ids that are not 64-bit integers or occur twice, boxes that are not four numbers of
/// at most 1e9 with width and height of at least 0, categories that are not listed, sizes below 1, and file names that
/// are absolute or contain "..".
CocoDataset read_coco_dataset(const std::filesystem::path& path);

/// The same from a text; name is used in errors.
CocoDataset parse_coco_dataset(std::string_view text, const std::string& name);

}  // namespace effdet
