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

/// By whose rules detections are evaluated, and what a file must have for it.
enum class Rules {
  kCoco,  ///< pycocotools'
  kLvis,  ///< lvis-api's: images are annotated for some categories only
};

struct ImageRecord {
  int64_t id = 0;
  /// As the file has it, which may lead anywhere: an absolute path, "..", a URL. Empty where the file has none.
  std::string file_name;
  /// In pixels; 0 where the file does not tell, or has a number that is no size.
  int width = 0, height = 0;
  /// Of data sets whose images are not searched for all categories: those that people looked for and did not find
  /// (LVIS: neg_category_ids).
  std::vector<int64_t> absent_categories = {};
  /// Those of which not all objects are annotated (LVIS: not_exhaustive_category_ids).
  std::vector<int64_t> incomplete_categories = {};
};

struct Annotation {
  int64_t id = 0, image_id = 0, category_id = 0;
  /// Left, top, width, height in pixels.
  std::array<double, 4> bbox{};
  /// The area that decides between small, medium and large: the segment's in COCO, not the box's.
  double area = 0;
  bool is_crowd = false;
  /// LVIS: to find it is neither right nor wrong. Unlike a crowd it is one object.
  bool is_ignored = false;
};

struct Category {
  int64_t id = 0;
  std::string name;  ///< empty where the file has none
  /// LVIS: 'r', 'c' or 'f', for rare, common and frequent; 0 in other data sets.
  char frequency = 0;
};

/// Images, annotations and categories in the order of the file, each id once.
struct GroundTruth {
  Rules rules = Rules::kCoco;
  std::vector<ImageRecord> images;
  std::vector<Annotation> annotations;
  std::vector<Category> categories;
  /// Place of each image id in images.
  std::unordered_map<int64_t, size_t> image_index;
  /// Where the file's ids are strings.
  StringIds image_ids, category_ids;
  /// Whether the ids of categories only say in which order their names are, as in formats that have no ids.
  bool are_categories_by_name = false;
  /// What was left out of the file and why, a line each.
  std::vector<std::string> notes;

  const ImageRecord* find_image(int64_t id) const;
  /// Whether all objects of a category are annotated in an image that is there. Always, but for LVIS.
  bool is_complete(int64_t image_id, int64_t category_id) const;
  /// In rising order.
  std::vector<int64_t> sorted_image_ids() const;
};

}  // namespace effdet::eval
