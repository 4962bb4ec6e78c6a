// The ground truth of a data set, whatever file it comes from: images, annotations and categories.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "eval/coco_ids.h"

namespace effdet::eval {

struct ImageRecord {
  int64_t id = 0;
  /// As the file has it, which may lead anywhere: an absolute path, "..", a URL. Empty where the file has none.
  std::string file_name;
  /// In pixels; 0 where the file does not tell, or has a number that is no size.
  int width = 0, height = 0;
};

struct Annotation {
  int64_t id = 0, image_id = 0, category_id = 0;
  /// Left, top, width, height in pixels.
  std::array<double, 4> bbox{};
  /// The area that decides between small, medium and large: the segment's in COCO, not the box's.
  double area = 0;
  bool is_crowd = false;
};

struct Category {
  int64_t id = 0;
  std::string name;  ///< empty where the file has none
};

/// Images, annotations and categories in the order of the file, each id once.
struct GroundTruth {
  std::vector<ImageRecord> images;
  std::vector<Annotation> annotations;
  std::vector<Category> categories;
  /// Place of each image id in images.
  std::unordered_map<int64_t, size_t> image_index;
  /// Where the file's ids are strings.
  StringIds image_ids, category_ids;
  /// What was left out of the file and why, a line each.
  std::vector<std::string> notes;

  const ImageRecord* find_image(int64_t id) const;
  /// In rising order.
  std::vector<int64_t> sorted_image_ids() const;
};

}  // namespace effdet::eval
