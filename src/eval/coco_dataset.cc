#include "eval/coco_dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "eval/coco_json.h"
#include "eval/json_reader.h"

namespace effdet {
namespace {

int read_side(JsonReader& reader) {
  const int64_t side = reader.read_integer();
  if (side < 1 || side > std::numeric_limits<int>::max()) reader.error("{} is no image size in pixels", side);
  return static_cast<int>(side);
}

/// A name from a file must not make us open anything outside of the image folder.
std::string read_file_name(JsonReader& reader) {
  const std::string name = reader.read_string();
  if (name.empty() || name.find('\0') != std::string::npos) reader.error("is not a file name");
  const std::filesystem::path path(name);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) {
    reader.error("'{}' leads out of the image folder", printable(name));
  }
  return name;
}

CocoImage read_image(JsonReader& reader) {
  enum Member : unsigned { kId, kFileName, kWidth, kHeight };
  CocoImage image;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "id") {
      members.add(reader, kId, key);
      image.id = reader.read_integer();
    } else if (key == "file_name") {
      members.add(reader, kFileName, key);
      image.file_name = read_file_name(reader);
    } else if (key == "width") {
      members.add(reader, kWidth, key);
      image.width = read_side(reader);
    } else if (key == "height") {
      members.add(reader, kHeight, key);
      image.height = read_side(reader);
    } else {
      reader.skip();
    }
  });
  members.require(reader, kId, "id");
  members.require(reader, kFileName, "file_name");
  members.require(reader, kWidth, "width");
  members.require(reader, kHeight, "height");
  return image;
}

CocoAnnotation read_annotation(JsonReader& reader) {
  enum Member : unsigned { kId, kImageId, kCategoryId, kBbox, kArea, kIsCrowd };
  CocoAnnotation annotation;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "id") {
      members.add(reader, kId, key);
      annotation.id = reader.read_integer();
    } else if (key == "image_id") {
      members.add(reader, kImageId, key);
      annotation.image_id = reader.read_integer();
    } else if (key == "category_id") {
      members.add(reader, kCategoryId, key);
      annotation.category_id = reader.read_integer();
    } else if (key == "bbox") {
      members.add(reader, kBbox, key);
      annotation.bbox = read_bbox(reader);
    } else if (key == "area") {
      members.add(reader, kArea, key);
      annotation.area = reader.read_number();
    } else if (key == "iscrowd") {
      members.add(reader, kIsCrowd, key);
      annotation.is_crowd = reader.read_flag();
    } else {
      reader.skip();
    }
  });
  members.require(reader, kId, "id");
  members.require(reader, kImageId, "image_id");
  members.require(reader, kCategoryId, "category_id");
  members.require(reader, kBbox, "bbox");
  if (!members.has(kArea)) annotation.area = annotation.bbox[2] * annotation.bbox[3];
  return annotation;
}

CocoCategory read_category(JsonReader& reader) {
  enum Member : unsigned { kId, kName };
  CocoCategory category;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "id") {
      members.add(reader, kId, key);
      category.id = reader.read_integer();
    } else if (key == "name") {
      members.add(reader, kName, key);
      category.name = reader.read_string();
    } else {
      reader.skip();
    }
  });
  members.require(reader, kId, "id");
  members.require(reader, kName, "name");
  return category;
}

CocoDataset read_all(JsonReader& reader) {
  enum Member : unsigned { kImages, kAnnotations, kCategories };
  CocoDataset dataset;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "images") {
      members.add(reader, kImages, key);
      reader.read_array([&](size_t) { dataset.images.push_back(read_image(reader)); });
    } else if (key == "annotations") {
      members.add(reader, kAnnotations, key);
      reader.read_array([&](size_t) { dataset.annotations.push_back(read_annotation(reader)); });
    } else if (key == "categories") {
      members.add(reader, kCategories, key);
      reader.read_array([&](size_t) { dataset.categories.push_back(read_category(reader)); });
    } else {
      reader.skip();
    }
  });
  members.require(reader, kImages, "images");
  reader.finish();
  return dataset;
}

/// The set of ids of one of the file's arrays. Throws where an id occurs twice.
template <typename Item>
std::unordered_set<int64_t> unique_ids(const std::vector<Item>& items, const char* array, const std::string& name) {
  std::unordered_set<int64_t> ids;
  ids.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    if (!ids.insert(items[i].id).second) bad_input("{}: {}[{}].id: {} occurs twice", name, array, i, items[i].id);
  }
  return ids;
}

void check_references(const CocoDataset& dataset, const std::string& name) {
  unique_ids(dataset.images, "images", name);
  unique_ids(dataset.annotations, "annotations", name);
  const auto categories = unique_ids(dataset.categories, "categories", name);
  for (size_t i = 0; i < dataset.annotations.size(); ++i) {
    const int64_t id = dataset.annotations[i].category_id;
    if (categories.count(id) == 0) bad_input("{}: annotations[{}].category_id: no category has id {}", name, i, id);
  }
}

}  // namespace

const CocoImage* CocoDataset::find_image(int64_t id) const {
  const auto found = image_index.find(id);
  return found == image_index.end() ? nullptr : &images[found->second];
}

std::vector<int64_t> CocoDataset::sorted_image_ids() const {
  std::vector<int64_t> ids;
  ids.reserve(images.size());
  for (const auto& image : images) ids.push_back(image.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

CocoDataset parse_coco_dataset(std::string_view text, const std::string& name) {
  JsonReader reader(text, name);
  CocoDataset dataset = read_all(reader);
  check_references(dataset, name);
  dataset.image_index.reserve(dataset.images.size());
  for (size_t i = 0; i < dataset.images.size(); ++i) dataset.image_index.emplace(dataset.images[i].id, i);
  return dataset;
}

CocoDataset read_coco_dataset(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_coco_dataset({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.path());
}

}  // namespace effdet
