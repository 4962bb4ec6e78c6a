// LVIS: COCO's JSON with the categories that each image was searched for, over images of COCO's.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "dataset/format.h"
#include "dataset/formats/coco_index.h"
#include "dataset/formats/records.h"
#include "effdet/paths.h"
#include "eval/coco_dataset.h"

namespace effdet::dataset {
namespace lvis {
namespace {

using nlohmann::json;
using std::filesystem::path;

/// Images have their folder in their URL, and are those of COCO, whose train2017 has a part of LVIS' val, too.
std::vector<path> image_folders(const path& root) {
  return {root,
          root / "images",
          root / "val2017",
          root / "train2017",
          root / "images" / "val2017",
          root / "images" / "train2017"};
}

path standard_file(const path& root, const std::string& split = "val") {
  return root / "annotations" / ("lvis_v1_" + split_called(split, "val", "train", "test") + ".json");
}

std::vector<path> files_of_split(const path& root, const std::string& split) {
  std::vector<path> files;
  for (const std::string& name : names_of_split(split))
    for (const path& folder : {root / "annotations", root})
      for (const char* prefix : {"lvis_v1_", "lvis_v1_image_info_", "lvis_v0.5_", "lvis_"})
        files.push_back(folder / (prefix + name + ".json"));
  return files;
}

bool is_there(const path& file) { return is_file(file); }

bool recognises(const path& root) {
  constexpr std::array kSplits{"val", "train", "test", "minival"};
  return std::ranges::any_of(
      kSplits, [&](const char* split) { return std::ranges::any_of(files_of_split(root, split), is_there); });
}

Location locate(const DataSource& data) {
  if (!data.annotations.empty()) {
    const path folder = data.annotations.parent_path();
    return {data.annotations, image_folders(folder.filename() == "annotations" ? folder.parent_path() : folder)};
  }
  const std::vector<path> files = files_of_split(data.root, data.split);
  const auto found = std::ranges::find_if(files, is_there);
  return {found == files.end() ? standard_file(data.root) : *found, image_folders(data.root)};
}

/// lvis-api's download puts images of all folders into one.
void drop_folders_that_are_not_there(eval::GroundTruth& truth, const std::vector<path>& folders) {
  if (truth.images.empty()) return;
  const path first = truth.images.front().file_name;
  const auto has = [&](const path& name) {
    return std::ranges::any_of(folders, [&](const path& folder) { return is_file(folder / name); });
  };
  if (!stays_inside(first) || has(first) || !has(first.filename())) return;
  for (eval::ImageRecord& image : truth.images) image.file_name = path(image.file_name).filename().string();
}

eval::GroundTruth read(const DataSource& data) {
  Location place = locate(data);
  require_annotations(place, data);
  eval::GroundTruth truth =
      eval::read_coco_dataset(place.annotations, eval::BadRecords::kLeaveOut, nullptr, eval::Rules::kLvis);
  if (!data.images.empty()) place.image_folders = {data.images};
  if (!data.root.empty()) place.image_folders.push_back(data.root);
  drop_folders_that_are_not_there(truth, place.image_folders);
  return truth;
}

/// LVIS: rare are categories of up to 10 images, common those of up to 100. LVIS counts those of its training set.
const char* frequency_of(size_t images) { return images <= 10 ? "r" : images <= 100 ? "c" : "f"; }

/// A data set whose images were searched for everything, in LVIS' words.
eval::GroundTruth with_lvis_fields(eval::GroundTruth truth) {
  std::map<int64_t, std::set<int64_t>> categories_of, images_of;
  for (const eval::Annotation& annotation : truth.annotations) {
    categories_of[annotation.image_id].insert(annotation.category_id);
    images_of[annotation.category_id].insert(annotation.image_id);
  }
  for (eval::ImageRecord& image : truth.images)
    for (const eval::Category& category : truth.categories)
      if (!categories_of[image.id].contains(category.id)) image.absent_categories.push_back(category.id);
  for (eval::Category& category : truth.categories) category.frequency = *frequency_of(images_of[category.id].size());
  return truth;
}

json ids_of(const std::vector<int64_t>& ids, const eval::StringIds& strings) {
  json list = json::array();
  for (const int64_t id : ids) list.push_back(json_id(id, strings));
  return list;
}

void write(const path& root, const eval::GroundTruth& source, const Origin& origin) {
  const eval::GroundTruth truth = source.rules == eval::Rules::kLvis ? source : with_lvis_fields(source);
  json index = coco_index(truth, origin);
  for (size_t i = 0; i < truth.images.size(); ++i) {
    const eval::ImageRecord& image = truth.images[i];
    index["images"][i]["neg_category_ids"] = ids_of(image.absent_categories, truth.category_ids);
    index["images"][i]["not_exhaustive_category_ids"] = ids_of(image.incomplete_categories, truth.category_ids);
  }
  for (size_t i = 0; i < truth.annotations.size(); ++i) {
    index["annotations"][i].erase("iscrowd");
    if (truth.annotations[i].is_ignored) index["annotations"][i]["ignore"] = 1;
  }
  for (size_t i = 0; i < truth.categories.size(); ++i)
    index["categories"][i]["frequency"] = std::string(1, truth.categories[i].frequency);
  write_json(standard_file(root, origin.split), index);
}

}  // namespace
}  // namespace lvis

extern const Format kLvis;  // the row in formats.cc
constinit const Format kLvis{.name = "lvis",
                             .layout = "annotations/lvis_v1_val.json and val2017/",
                             .recognises = lvis::recognises,
                             .locate = lvis::locate,
                             .read = lvis::read,
                             .write = lvis::write,
                             .written_images = [](const std::string&) { return std::string("images"); },
                             .holds_image_ids = true,
                             .holds_outside = true,
                             .holds_any_names = true,
                             .reads_images = false,
                             .needs_unique_stems = false};

}  // namespace effdet::dataset
