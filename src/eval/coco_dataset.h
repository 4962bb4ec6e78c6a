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

#include "eval/coco_ids.h"
#include "eval/left_out.h"

namespace effdet::eval {

struct CocoImage {
  int64_t id = 0;
  /// As the file has it, which may lead anywhere: an absolute path, "..", a URL. Empty where the file has none.
  std::string file_name;
  /// In pixels; 0 where the file does not tell, or has a number that is no size.
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
  std::string name;  ///< empty where the file has none
};

/// Images, annotations and categories in the order of the file, each id once.
struct CocoDataset {
  std::vector<CocoImage> images;
  std::vector<CocoAnnotation> annotations;
  std::vector<CocoCategory> categories;
  /// Place of each image id in images.
  std::unordered_map<int64_t, size_t> image_index;
  /// Where the file's ids are strings.
  StringIds image_ids, category_ids;
  /// What was left out of the file and why, a line each.
  std::vector<std::string> notes;

  const CocoImage* find_image(int64_t id) const;
  /// In rising order.
  std::vector<int64_t> sorted_image_ids() const;
};

/// Reads an annotation file. Members that detection does not need (info, licenses, segmentation, keypoints, ...) are
/// passed over. Files without annotations or categories load (image_info_test-dev2017.json has none); iscrowd defaults
/// to 0, area to that of the box. Boxes may be empty and may lie outside of the image, as some of COCO's do. Of images,
/// only the id must be there. Ids may be strings, as in pycocotools, but not some strings and some numbers.
///
/// Annotations without a box or with one that makes no sense (see BoxOfRecord), and those of images and categories
/// that are not listed, are left out or refused, as bad_records says.
///
/// Throws Error(kBadInput) naming file, JSON path and, where known, the byte: for JSON that JsonReader refuses, members
/// that are missing or occur twice, ids that are neither 64-bit integers nor strings, boxes of other than four numbers,
/// an annotation id that occurs twice, and ids of images or categories that stand for two different ones.
CocoDataset read_coco_dataset(const std::filesystem::path& path, BadRecords bad_records = BadRecords::kLeaveOut);

/// The same from a text; name is used in errors.
CocoDataset parse_coco_dataset(std::string_view text, const std::string& name,
                               BadRecords bad_records = BadRecords::kLeaveOut);

}  // namespace effdet::eval
