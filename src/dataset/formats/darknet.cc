// Darknet's description of a data set, as CVAT ("YOLO 1.1") and Datumaro ("yolo") export it: obj.data names the file of
// the classes' names and, for each split, a list of its images; labels lie beside them.
#include "dataset/formats/darknet.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/records.h"
#include "eval/coco_json.h"

namespace effdet::dataset::darknet {
namespace {

using std::filesystem::path;

/// What obj.data says that is no split.
constexpr std::array<std::string_view, 3> kNoSplits = {"classes", "names", "backup"};

/// A line "key = value".
struct Value {
  std::string text;
  std::string where;  ///< "obj.data:2", for messages
};

std::map<std::string, Value> read_values(const path& file) {
  std::map<std::string, Value> values;
  for_each_line(file, [&](std::string_view line, const std::string& where) {
    if (line.starts_with('#') || line.starts_with(';')) return;
    const size_t equals = line.find('=');
    const std::string key(trimmed(line.substr(0, equals)));
    const std::string text(equals == line.npos ? "" : trimmed(line.substr(equals + 1)));
    if (key.empty() || text.empty()) bad_input("{}: no 'key = value'", where);
    if (!values.emplace(key, Value{text, where}).second)
      bad_input("{}: '{}' occurs twice", where, eval::printable(key));
  });
  return values;
}

/// A path as Darknet has it on any system: relative to the folder that Darknet was started in, in which the data set is
/// called data/. As it is, where that is there or it begins otherwise.
path meant_by(const path& root, std::string text) {
  std::ranges::replace(text, '\\', '/');
  const path name = path(text).lexically_normal();
  if (name.empty() || *name.begin() != "data" || yolo::exists_below(root, name)) return name;
  return name.lexically_relative("data");
}

class Reader {
 public:
  explicit Reader(const DataSource& data) : data_(data) {}

  Split read() {
    description_.file = file_of(data_.root);
    description_.labels_of = labels_of;
    description_.drops_repeats = false;
    values_ = read_values(description_.file);
    const auto names = values_.find("names");
    if (names == values_.end())
      bad_input("{}: no 'names', the file with the names of the classes", description_.file.string());
    description_.classes = yolo::read_names(data_.root / file_that(names->second));
    read_images();
    description_.folder = common_folder();
    return split_;
  }

 private:
  /// AlexeyAB's Darknet, CVAT and Datumaro have labels beside the images, the first Darknet in labels/ beside images/
  /// and JPEGImages/.
  static path labels_of(const path& root, const path& image) {
    path beside = image;
    beside.replace_extension(".txt");
    for (const char* folder : {"images", "JPEGImages"})
      if (path labels = yolo::labels_beside_images(image, folder); !is_file(root / beside) && is_file(root / labels))
        return labels;
    return beside;
  }

  path file_that(const Value& value) const {
    const std::optional<path> file = below(data_.root, meant_by(data_.root, value.text));
    if (!file || !is_file(data_.root / *file))
      bad_input("{}: '{}' is no file in this folder", value.where, eval::printable(value.text));
    return *file;
  }

  void read_images() {
    for (const std::string& name : names_of_split(data_.split)) {
      const auto list = values_.find(name);
      if (list == values_.end() || std::ranges::find(kNoSplits, name) != kNoSplits.end()) continue;
      for_each_line(data_.root / file_that(list->second), [&](std::string_view line, const std::string& where) {
        const path image = meant_by(data_.root, std::string(line));
        split_.images.push_back(yolo::image_below_root(data_.root, image, where));
      });
      return;
    }
    std::vector<std::string> others;
    for (const auto& [key, value] : values_)
      if (std::ranges::find(kNoSplits, key) == kNoSplits.end()) others.push_back(key);
    yolo::refuse_split(data_, description_.file, others);
  }

  /// The folder at the beginning of all names (obj_train_data/), which is no part of an image's name in CVAT.
  path common_folder() const {
    path common;
    for (const path& image : split_.images) {
      const path first = image.has_parent_path() ? *image.begin() : path();
      if (first.empty() || (!common.empty() && first != common)) return {};
      common = first;
    }
    return common;
  }

  const DataSource& data_;
  std::map<std::string, Value> values_;
  Split split_;
  yolo::Description& description_ = split_.description;
};

}  // namespace

path usual_file_of(const path& root) {
  for (const char* name : {"obj.data", "data/obj.data"})
    if (is_file(root / name)) return root / name;
  return {};
}

path file_of(const path& root) {
  const path usual = usual_file_of(root);
  return usual.empty() ? yolo::only_file(root, {".data"}) : usual;
}

Split read_split(const DataSource& data) { return Reader(data).read(); }

}  // namespace effdet::dataset::darknet
