// COCO's annotations: a JSON file a split and a folder of images, in the layouts of COCO, Roboflow, CVAT and others.
#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/coco_index.h"
#include "eval/coco_dataset.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace coco {
namespace {

using std::filesystem::path;

std::string written_images(const std::string& split) { return split_called(split, "val2017", "train2017", "test2017"); }

/// Where data sets are written, and, of val, what is missed where there is nothing else.
path standard_file(const path& root, const std::string& split = "val") {
  return root / "annotations" / ("instances_" + written_images(split) + ".json");
}

/// The folders that images of an annotation file may lie in, where it is of a split.
std::vector<path> folders_of(const path& root, const std::string& split) {
  return {root / split, root / "images" / split, root / "images"};
}

/// COCO's own names; Roboflow's and FiftyOne's: a folder a split, with the annotations beside its images.
std::vector<Location> places_of_split(const path& root, const std::string& split) {
  std::vector<Location> places;
  for (const std::string& name : names_of_split(split)) {
    for (const char* prefix : {"instances_", "image_info_", "person_keypoints_", ""})
      places.push_back({root / "annotations" / (prefix + name + ".json"), folders_of(root, name)});
    for (const char* file : {"_annotations.coco.json", "annotations.json", "labels.json"})
      places.push_back({root / name / file, {root / name, root / name / "images", root / name / "data"}});
    places.push_back({root / (name + ".json"), folders_of(root, name)});
  }
  // COCO's own name first, as all else has it.
  std::ranges::stable_partition(places,
                                [&](const Location& place) { return place.annotations == standard_file(root); });
  return places;
}

/// CVAT's, Label Studio's and FiftyOne's names, and a folder of Roboflow's for itself: no splits.
std::vector<Location> places_without_split(const path& root) {
  std::vector<Location> places;
  for (const char* file :
       {"annotations/instances_default.json", "annotations/person_keypoints_default.json", "_annotations.coco.json",
        "annotations.json", "instances.json", "result.json", "labels.json", "annotations/annotations.json"})
    places.push_back({root / file, {root / "images" / "default", root / "images", root / "data", root}});
  return places;
}

bool is_there(const Location& place) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(place.annotations, ignored);
}

/// A file that the user named lies beside its images, or in annotations/ beside their folder.
Location around(const path& file) {
  const path folder = file.parent_path();
  std::string name = file.stem().string();
  if (const size_t line = name.rfind('_'); line != std::string::npos) name = name.substr(line + 1);
  std::vector<path> folders = folders_of(folder.filename() == "annotations" ? folder.parent_path() : folder, name);
  folders.push_back(folder);
  return {file, folders};
}

Location locate(const DataSource& data) {
  if (!data.annotations.empty()) return around(data.annotations);
  std::vector<Location> places = places_of_split(data.root, data.split);
  if (const auto found = std::ranges::find_if(places, is_there); found != places.end()) return *found;
  const std::vector<Location> others = places_without_split(data.root);
  if (const auto found = std::ranges::find_if(others, is_there); found != others.end()) return *found;
  return places.front();
}

bool recognises(const path& root) {
  for (const char* split : {"val", "train", "test"})
    if (std::ranges::any_of(places_of_split(root, split), is_there)) return true;
  return std::ranges::any_of(places_without_split(root), is_there);
}

eval::GroundTruth read(const DataSource& data) {
  const Location place = locate(data);
  require_annotations(place, data);
  return eval::read_coco_dataset(place.annotations);
}

void write(const path& root, const eval::GroundTruth& truth, const Origin& origin) {
  write_json(standard_file(root, origin.split), coco_index(truth, origin));
}

}  // namespace
}  // namespace coco

extern const Format kCoco;  // the row in formats.cc
constinit const Format kCoco{
    .name = "coco",
    .layout = "annotations/instances_val2017.json and val2017/ (or another layout of COCO's format)",
    .recognises = coco::recognises,
    .locate = coco::locate,
    .read = coco::read,
    .write = coco::write,
    .written_images = coco::written_images,
    .holds_image_ids = true,
    .holds_crowds = true,
    .holds_outside = true,
    .holds_any_names = true,
    .reads_images = false,
    .needs_unique_stems = false};

}  // namespace effdet::dataset
