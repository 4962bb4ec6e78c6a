// Reads annotation files record by record; what cannot be evaluated is left out with a note or refused.
#include "eval/coco_dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/file.h"
#include "eval/array_parts.h"
#include "eval/coco_json.h"
#include "eval/json_reader.h"

namespace effdet::eval {
namespace {

bool next_is_number(JsonReader& reader) {
  const char c = reader.peek();
  return c == '-' || is_digit(c);
}

/// 0 for whatever is no size in whole pixels.
int read_side(JsonReader& reader) {
  if (!next_is_number(reader)) return reader.skip(), 0;
  const double side = reader.read_any_number();
  const bool is_size = side >= 1 && side <= std::numeric_limits<int>::max() && side == std::floor(side);
  return is_size ? static_cast<int>(side) : 0;
}

/// Empty for what is no string.
std::string read_name(JsonReader& reader) {
  if (reader.peek() != '"') return reader.skip(), "";
  return reader.read_string();
}

std::vector<int64_t> read_ids(JsonReader& reader, StringIds& strings) {
  std::vector<int64_t> ids;
  reader.read_array([&](size_t) { ids.push_back(read_id(reader, strings)); });
  return ids;
}

/// "http://host/val2017/000000000139.jpg" is val2017/000000000139.jpg: all that LVIS tells of the file.
std::string file_of_url(const std::string& url) {
  const size_t name = url.rfind('/'), folder = name == std::string::npos || name == 0 ? name : url.rfind('/', name - 1);
  return folder == std::string::npos ? url : url.substr(folder + 1);
}

ImageRecord read_image(JsonReader& reader, GroundTruth& dataset) {
  enum Member : unsigned { kId, kFileName, kWidth, kHeight, kAbsent, kIncomplete };
  const bool is_lvis = dataset.rules == Rules::kLvis;
  ImageRecord image;
  std::string url;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "id") {
      members.add(reader, kId, key);
      image.id = read_id(reader, dataset.image_ids);
    } else if (key == "file_name") {
      members.add(reader, kFileName, key);
      image.file_name = read_name(reader);
    } else if (key == "width") {
      members.add(reader, kWidth, key);
      image.width = read_side(reader);
    } else if (key == "height") {
      members.add(reader, kHeight, key);
      image.height = read_side(reader);
    } else if (is_lvis && key == "neg_category_ids") {
      members.add(reader, kAbsent, key);
      image.absent_categories = read_ids(reader, dataset.category_ids);
    } else if (is_lvis && key == "not_exhaustive_category_ids") {
      members.add(reader, kIncomplete, key);
      image.incomplete_categories = read_ids(reader, dataset.category_ids);
    } else if (is_lvis && key == "coco_url") {
      url = read_name(reader);
    } else {
      reader.skip();
    }
  });
  members.require(reader, kId, "id");
  if (is_lvis) {
    members.require(reader, kAbsent, "neg_category_ids");
    members.require(reader, kIncomplete, "not_exhaustive_category_ids");
    if (image.file_name.empty()) image.file_name = file_of_url(url);
  }
  return image;
}

char read_frequency(JsonReader& reader) {
  const std::string text = reader.read_string();
  if (text != "r" && text != "c" && text != "f")
    reader.error("\"{}\" is none of \"r\", \"c\" and \"f\", for rare, common and frequent", printable(text));
  return text[0];
}

Category read_category(JsonReader& reader, GroundTruth& dataset) {
  enum Member : unsigned { kId, kName, kFrequency };
  const bool is_lvis = dataset.rules == Rules::kLvis;
  Category category;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "id") {
      members.add(reader, kId, key);
      category.id = read_id(reader, dataset.category_ids);
    } else if (key == "name") {
      members.add(reader, kName, key);
      category.name = read_name(reader);
    } else if (is_lvis && key == "frequency") {
      members.add(reader, kFrequency, key);
      category.frequency = read_frequency(reader);
    } else {
      reader.skip();
    }
  });
  members.require(reader, kId, "id");
  if (is_lvis) members.require(reader, kFrequency, "frequency");
  return category;
}

constexpr int64_t kNoId = std::numeric_limits<int64_t>::max();

/// How the annotations of a file are read.
struct AnnotationRules {
  Rules rules;
  bool strict;  ///< refuse bad records
  /// The strings that are ids.
  StringIds &images, &categories, &annotations;
};

/// Reads annotations, all of a file or a part of them.
class AnnotationReader {
 public:
  /// A part refuses strings that are not among the ids yet: their numbers depend on those before them.
  AnnotationReader(JsonReader reader, const AnnotationRules& rules, bool is_part)
      : reader_(std::move(reader)), rules_(rules), is_part_(is_part) {}

  void read_element(size_t index) {
    enum Member : unsigned { kId, kImageId, kCategoryId, kBbox, kArea, kFlag };
    const bool is_lvis = rules_.rules == Rules::kLvis;
    const std::string_view flag = is_lvis ? "ignore" : "iscrowd";
    Annotation annotation{.id = kNoId};
    BoxOfRecord box{.values = {}, .problem = "no box"};
    MemberSet members;
    bool has_area = false;
    reader_.read_object([&](std::string_view key) {
      if (key == "id") {
        members.add(reader_, kId, key);
        annotation.id = read_annotation_id();
      } else if (key == "image_id") {
        members.add(reader_, kImageId, key);
        annotation.image_id = read_id(rules_.images);
      } else if (key == "category_id") {
        members.add(reader_, kCategoryId, key);
        annotation.category_id = read_id(rules_.categories);
      } else if (key == "bbox") {
        members.add(reader_, kBbox, key);
        box = read_box(reader_);
        if (rules_.strict && box.problem != nullptr) reader_.error("{}", box.problem);
      } else if (key == "area") {
        members.add(reader_, kArea, key);
        has_area = reader_.peek() != 'n';
        annotation.area = reader_.read_any_number();
      } else if (key == flag) {
        members.add(reader_, kFlag, key);
        (is_lvis ? annotation.is_ignored : annotation.is_crowd) = read_flag();
      } else {
        reader_.skip();
      }
    });
    members.require(reader_, kImageId, "image_id");
    members.require(reader_, kCategoryId, "category_id");
    if (rules_.strict) {
      members.require(reader_, kId, "id");
      members.require(reader_, kBbox, "bbox");
    }
    ++total_;
    if (box.problem != nullptr) return left_out_.add(box.problem, index);
    annotation.bbox = box.values;
    if (!has_area) annotation.area = annotation.bbox[2] * annotation.bbox[3];
    if (is_lvis && !(annotation.area > 0 && std::isfinite(annotation.area)))
      return left_out_.add("area that is not above 0, as in lvis-api", index);
    annotations_.push_back(annotation);
    places_.push_back(index);
  }

  JsonReader& reader() { return reader_; }
  std::vector<Annotation>& annotations() { return annotations_; }
  /// Of each of annotations() its index among those read.
  const std::vector<size_t>& places() const { return places_; }
  /// Of those read, whatever became of them.
  size_t total() const { return total_; }
  const LeftOut& left_out() const { return left_out_; }
  std::unordered_set<int64_t>& ids() { return ids_; }

 private:
  /// Evaluation needs no id of annotations but for the meaning that pycocotools gives to 0.
  int64_t read_annotation_id() {
    if (reader_.peek() == 'n') return reader_.skip(), kNoId;
    const int64_t id = read_id(rules_.annotations);
    if (!ids_.insert(id).second) reader_.error("the id of another annotation; renumber the annotations of merged sets");
    return id == rules_.annotations.find("0") ? 0 : id;
  }

  int64_t read_id(StringIds& strings) {
    if (!is_part_) return eval::read_id(reader_, strings);
    const int64_t id = read_known_id(reader_, strings);
    if (id == StringIds::kUnknown) reader_.error("a new string");
    return id;
  }

  bool read_flag() {
    if (reader_.peek() == 'n') return reader_.skip(), false;
    return reader_.read_flag();
  }

  JsonReader reader_;
  AnnotationRules rules_;
  bool is_part_;
  std::vector<Annotation> annotations_;
  std::vector<size_t> places_;
  size_t total_ = 0;
  LeftOut left_out_;
  std::unordered_set<int64_t> ids_;
};

/// Reads a file and checks what its records say of each other.
class DatasetReader {
 public:
  DatasetReader(const JsonInput& input, BadRecords bad_records, Rules rules)
      : input_(input), reader_(input.text, input.name), bad_records_(bad_records) {
    dataset_.rules = rules;
  }

  GroundTruth read() {
    read_arrays();
    require_one_kind(dataset_.images, "images");
    require_one_kind(dataset_.categories, "categories");
    merge_equal(dataset_.images, "images", [](const ImageRecord& a, const ImageRecord& b) {
      return a.file_name == b.file_name && same_size(a, b);
    });
    merge_equal(dataset_.categories, "categories",
                [](const Category& a, const Category& b) { return a.name == b.name; });
    for (size_t i = 0; i < dataset_.images.size(); ++i) dataset_.image_index.emplace(dataset_.images[i].id, i);
    leave_out_unlisted();
    sort_strings();
    dataset_.notes = left_out_.lines(input_.name, "annotations", total_, "annotations");
    return std::move(dataset_);
  }

 private:
  static bool same_size(const ImageRecord& a, const ImageRecord& b) {
    return a.width == b.width && a.height == b.height;
  }

  void read_arrays() {
    enum Member : unsigned { kImages, kAnnotations, kCategories };
    MemberSet members;
    if (reader_.peek() == '[')
      reader_.error("expected an object with images, annotations and categories, found a list, as result files are");
    reader_.read_object([&](std::string_view key) {
      if (key == "images") {
        members.add(reader_, kImages, key);
        reader_.read_array([&](size_t) { dataset_.images.push_back(read_image(reader_, dataset_)); });
      } else if (key == "annotations") {
        members.add(reader_, kAnnotations, key);
        read_annotations();
      } else if (key == "categories") {
        members.add(reader_, kCategories, key);
        reader_.read_array([&](size_t) { dataset_.categories.push_back(read_category(reader_, dataset_)); });
      } else {
        reader_.skip();
      }
    });
    members.require(reader_, kImages, "images");
    reader_.finish();
  }

  void read_annotations() {
    StringIds annotation_strings;
    const AnnotationRules rules{dataset_.rules, bad_records_ == BadRecords::kRefuse, dataset_.image_ids,
                                dataset_.category_ids, annotation_strings};
    auto parts = read_array_in_parts<AnnotationReader>(
        input_, reader_, [&](const JsonReader& at, bool is_part) { return AnnotationReader(at, rules, is_part); },
        have_distinct_ids);
    for (const AnnotationReader& part : parts) {
      for (const size_t place : part.places()) places_.push_back(total_ + place);
      left_out_.append(part.left_out(), total_);
      total_ += part.total();
    }
    append_parts(dataset_.annotations, parts, &AnnotationReader::annotations);
  }

  static bool have_distinct_ids(std::vector<AnnotationReader>& parts) {
    std::unordered_set<int64_t> ids;
    for (AnnotationReader& part : parts) {
      ids.merge(part.ids());
      if (!part.ids().empty()) return false;  // those that others have
    }
    return true;
  }

  template <typename Item>
  void require_one_kind(const std::vector<Item>& items, const char* array) const {
    const auto is_string = [](const Item& item) { return item.id < StringIds::kLowestNumber; };
    for (size_t i = 1; i < items.size(); ++i)
      if (is_string(items[i]) != is_string(items[0]))
        bad_input("{}: {}[{}].id: ids are strings and numbers; they must be all of one kind", input_.name, array, i);
  }

  /// Keeps the first of each id. Throws where records of one id differ.
  template <typename Item, typename Equal>
  void merge_equal(std::vector<Item>& items, const char* array, Equal equal) const {
    std::unordered_map<int64_t, size_t> first;
    first.reserve(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const auto [known, is_new] = first.emplace(items[i].id, i);
      if (!is_new && !equal(items[known->second], items[i]))
        bad_input("{}: {}[{}].id occurs twice: {}[{}] has the same id and is another one", input_.name, array, i, array,
                  known->second);
    }
    if (first.size() == items.size()) return;
    size_t place = 0;
    std::erase_if(items, [&](const Item& item) { return first.at(item.id) != place++; });
  }

  /// Annotations of images and categories that the file does not list.
  void leave_out_unlisted() {
    std::unordered_set<int64_t> categories;
    for (const Category& category : dataset_.categories) categories.insert(category.id);
    size_t kept = 0;
    for (size_t i = 0; i < dataset_.annotations.size(); ++i) {
      const Annotation& annotation = dataset_.annotations[i];
      const bool has_category = categories.contains(annotation.category_id);
      if (has_category && dataset_.image_index.contains(annotation.image_id)) {
        dataset_.annotations[kept++] = annotation;
        continue;
      }
      if (bad_records_ == BadRecords::kRefuse)
        bad_input("{}: annotations[{}].{}: no {} has this id", input_.name, places_[i],
                  has_category ? "image_id" : "category_id", has_category ? "image" : "category");
      left_out_.add(has_category ? "of images that are not listed" : "of categories that are not listed", places_[i]);
    }
    dataset_.annotations.resize(kept);
  }

  void sort_strings() {
    const auto renumber = [](StringIds& strings, auto change) {
      if (strings.empty()) return;
      const auto numbers = strings.sort();
      change([&numbers](int64_t& id) {
        if (const auto found = numbers.find(id); found != numbers.end()) id = found->second;
      });
    };
    renumber(dataset_.image_ids, [&](auto set) {
      for (ImageRecord& image : dataset_.images) set(image.id);
      for (Annotation& annotation : dataset_.annotations) set(annotation.image_id);
      dataset_.image_index.clear();
      for (size_t i = 0; i < dataset_.images.size(); ++i) dataset_.image_index.emplace(dataset_.images[i].id, i);
    });
    renumber(dataset_.category_ids, [&](auto set) {
      for (Category& category : dataset_.categories) set(category.id);
      for (ImageRecord& image : dataset_.images) {
        std::ranges::for_each(image.absent_categories, set);
        std::ranges::for_each(image.incomplete_categories, set);
      }
      for (Annotation& annotation : dataset_.annotations) set(annotation.category_id);
    });
  }

  const JsonInput& input_;
  JsonReader reader_;
  BadRecords bad_records_;
  GroundTruth dataset_;
  LeftOut left_out_;
  size_t total_ = 0;            ///< annotations in the file
  std::vector<size_t> places_;  ///< of dataset_.annotations in the file
};

}  // namespace

GroundTruth parse_coco_dataset(std::string_view text, const std::string& name, BadRecords bad_records, ThreadPool* pool,
                               Rules rules) {
  const JsonInput input{.text = text, .name = name, .pool = pool};
  return DatasetReader(input, bad_records, rules).read();
}

GroundTruth read_coco_dataset(const std::filesystem::path& path, BadRecords bad_records, ThreadPool* pool, Rules rules,
                              WorkProgress* progress) {
  const MappedFile file(path);
  const JsonInput input{.text = file.text(), .name = file.path(), .pool = pool, .file = &file, .progress = progress};
  begin_reading(input, "annotations");
  return DatasetReader(input, bad_records, rules).read();
}

}  // namespace effdet::eval
