// Writes COCO's JSON.
#include "dataset/formats/coco_index.h"

#include "base/file.h"

namespace effdet::dataset {

using nlohmann::json;

namespace {

json images_of(const eval::GroundTruth& truth) {
  json list = json::array();
  for (const eval::ImageRecord& image : truth.images)
    list.push_back({{"id", json_id(image.id, truth.image_ids)},
                    {"file_name", image.file_name},
                    {"width", image.width},
                    {"height", image.height}});
  return list;
}

json annotations_of(const eval::GroundTruth& truth) {
  json list = json::array();
  for (const eval::Annotation& annotation : truth.annotations)
    list.push_back({{"id", annotation.id},
                    {"image_id", json_id(annotation.image_id, truth.image_ids)},
                    {"category_id", json_id(annotation.category_id, truth.category_ids)},
                    {"bbox", annotation.bbox},
                    {"area", annotation.area},
                    {"iscrowd", annotation.is_crowd ? 1 : 0},
                    {"segmentation", json::array()}});
  return list;
}

json categories_of(const eval::GroundTruth& truth, const Origin& origin) {
  json list = json::array();
  for (const eval::Category& category : truth.categories)
    list.push_back({{"id", json_id(category.id, truth.category_ids)},
                    {"name", category.name},
                    {"supercategory", origin.supercategory}});
  return list;
}

}  // namespace

json json_id(int64_t id, const eval::StringIds& strings) {
  return id >= eval::StringIds::kLowestNumber ? json(id) : json::parse(strings.json_of(id));
}

json coco_index(const eval::GroundTruth& truth, const Origin& origin) {
  return {{"info", {{"description", origin.description}}},
          {"licenses", json::array()},
          {"images", images_of(truth)},
          {"annotations", annotations_of(truth)},
          {"categories", categories_of(truth, origin)}};
}

void write_json(const std::filesystem::path& file, const json& json) {
  make_folder(file.parent_path());
  write_file(file, json.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace effdet::dataset
