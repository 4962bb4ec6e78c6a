// COCO 2017's validation set, and data sets of the same layout: one JSON file and a folder of images.
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "dataset/format.h"
#include "eval/coco_dataset.h"

namespace effdet::dataset {
namespace coco {
namespace {

using nlohmann::json;
using std::filesystem::path;

path annotations(const path& root) { return root / "annotations" / "instances_val2017.json"; }

path image_folder(const path& root) { return root / "val2017"; }

bool recognises(const path& root) {
  std::error_code ignored;
  return std::filesystem::exists(annotations(root), ignored);
}

eval::GroundTruth read(const path& root) { return eval::read_coco_dataset(annotations(root)); }

json images_of(const eval::GroundTruth& truth) {
  json list = json::array();
  for (const eval::ImageRecord& image : truth.images)
    list.push_back(
        {{"id", image.id}, {"file_name", image.file_name}, {"width", image.width}, {"height", image.height}});
  return list;
}

json annotations_of(const eval::GroundTruth& truth) {
  json list = json::array();
  for (const eval::Annotation& annotation : truth.annotations)
    list.push_back({{"id", annotation.id},
                    {"image_id", annotation.image_id},
                    {"category_id", annotation.category_id},
                    {"bbox", annotation.bbox},
                    {"area", annotation.area},
                    {"iscrowd", annotation.is_crowd ? 1 : 0},
                    {"segmentation", json::array()}});
  return list;
}

json categories_of(const eval::GroundTruth& truth, const Origin& origin) {
  json list = json::array();
  for (const eval::Category& category : truth.categories)
    list.push_back({{"id", category.id}, {"name", category.name}, {"supercategory", origin.supercategory}});
  return list;
}

void write(const path& root, const eval::GroundTruth& truth, const Origin& origin) {
  make_folder(annotations(root).parent_path());
  const json index{{"info", {{"description", origin.description}}},
                   {"licenses", json::array()},
                   {"images", images_of(truth)},
                   {"annotations", annotations_of(truth)},
                   {"categories", categories_of(truth, origin)}};
  write_file(annotations(root), index.dump());
}

}  // namespace
}  // namespace coco

extern const Format kCoco;  // the row in formats.cc
constinit const Format kCoco{.name = "COCO",
                             .layout = "annotations/instances_val2017.json and val2017/",
                             .recognises = coco::recognises,
                             .image_folder = coco::image_folder,
                             .annotations = coco::annotations,
                             .read = coco::read,
                             .write = coco::write};

}  // namespace effdet::dataset
