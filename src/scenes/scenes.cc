#include "scenes/scenes.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "scenes/scene.h"
#include "vision/encode.h"

namespace effdet::scenes {
namespace {

using nlohmann::json;

constexpr int kLargestSide = 4096;
constexpr int64_t kIdsPerImage = 100;  // room for the annotations of one image

void check_range(const char* name, int value, int low, int high) {
  if (value < low || value > high) fail(ErrorCode::kUsage, "{} is {}, must be {} to {}", name, value, low, high);
}

void check_options(const SceneOptions& options) {
  check_range("number of images", options.images, 1, 1'000'000);
  check_range("smallest side", options.min_side, kSmallestSide, kLargestSide);
  check_range("largest side", options.max_side, options.min_side, kLargestSide);
  check_range("JPEG quality", options.jpeg_quality, 1, 100);
  check_range("first id", options.first_id, 1, std::numeric_limits<int>::max() - options.images);
}

/// Neighbouring seeds and ids must give unrelated scenes.
uint64_t seed_of(uint64_t seed, int id) { return Random(Random(seed).next() ^ static_cast<uint64_t>(id)).next(); }

json categories() {
  json list = json::array();
  for (size_t i = 0; i < kShapeNames.size(); ++i) {
    list.push_back({{"id", i + 1}, {"name", kShapeNames[i]}, {"supercategory", "shape"}});
  }
  return list;
}

json annotation(const Object& object, int64_t id, int image_id) {
  return {{"id", id},
          {"image_id", image_id},
          {"category_id", static_cast<int>(object.shape) + 1},
          {"bbox", {object.x, object.y, object.width, object.height}},
          {"area", object.area},
          {"iscrowd", 0},
          {"segmentation", json::array()}};
}

json empty_index(const SceneOptions& options) {
  return {{"info", {{"description", fmt::format("synthetic shape scenes, seed {}", options.seed)}}},
          {"licenses", json::array()},
          {"images", json::array()},
          {"annotations", json::array()},
          {"categories", categories()}};
}

void add_to_index(json& index, const Scene& scene, int id, const std::string& name) {
  index["images"].push_back(
      {{"id", id}, {"file_name", name}, {"width", scene.canvas.width}, {"height", scene.canvas.height}});
  int64_t annotation_id = id * kIdsPerImage;
  for (const Object& object : scene.objects) index["annotations"].push_back(annotation(object, annotation_id++, id));
}

}  // namespace

void write_scenes(const std::filesystem::path& root, const SceneOptions& options) {
  check_options(options);
  make_folder(root / "annotations");
  make_folder(root / "val2017");
  json index = empty_index(options);
  for (int i = 0; i < options.images; ++i) {
    const int id = options.first_id + i;
    const Scene scene = make_scene(seed_of(options.seed, id), options.min_side, options.max_side);
    const std::string name = fmt::format("{:012}.jpg", id);
    write_file(root / "val2017" / name, vision::encode_jpeg(scene.canvas.to_image(), options.jpeg_quality),
               /*sync=*/false);
    add_to_index(index, scene, id, name);
    if (options.progress) options.progress(i + 1, options.images);
  }
  write_file(root / "annotations" / "instances_val2017.json", index.dump());
}

}  // namespace effdet::scenes
