// YOLO: a text file an image in labels/, images in images/, and data.yaml with the names of classes and the splits.
//
// A line of a label file is "class x y width height", the box's centre and size as parts of the upright image's sides,
// or "class x1 y1 x2 y2 x3 y3 ...", a polygon, whose box counts. Class 0 becomes category 1, as effdet counts.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/records.h"
#include "dataset/formats/yaml.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace yolo {
namespace {

using std::filesystem::path;

/// What a number may lie beyond 0 and 1: as much as Ultralytics takes.
constexpr double kBeyond = 0.01;

bool exists_below(const path& root, const path& name) { return is_file(root / name) || is_folder(root / name); }

/// data.yaml under one of its usual names, or empty.
path usual_yaml_of(const path& root) {
  for (const char* name : {"data.yaml", "data.yml", "dataset.yaml", "dataset.yml"})
    if (is_file(root / name)) return root / name;
  return {};
}

/// data.yaml or what it is called, or empty: coco8.yaml, where it is the only one.
path yaml_of(const path& root) {
  if (const path usual = usual_yaml_of(root); !usual.empty()) return usual;
  path only;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    const path extension = entry.path().extension();
    if ((extension != ".yaml" && extension != ".yml") || !is_file(entry.path())) continue;
    if (!only.empty()) return {};
    only = entry.path();
  }
  return only;
}

/// A list of class names, as LabelImg and darknet write it beside or above the labels; or empty.
path list_of_names(const path& root) {
  for (const char* name : {"classes.txt", "labels/classes.txt", "obj.names"})
    if (is_file(root / name)) return root / name;
  return {};
}

bool recognises(const path& root) {
  return !usual_yaml_of(root).empty() || (is_folder(root / "labels") && is_folder(root / "images"));
}

/// What the files say that describe a data set.
struct Description {
  path file;  ///< that they are in, for messages
  std::vector<std::string> classes;
  path base;                  ///< what data.yaml's "path" says, relative to the root
  std::vector<path> entries;  ///< of the split: folders of images or lists of them
  bool has_keypoints = false;
};

class DescriptionReader {
 public:
  DescriptionReader(const DataSource& data) : data_(data) {}

  Description read() {
    description_.file = yaml_of(data_.root);
    if (description_.file.empty()) return read_folders();
    values_ = read_yaml(description_.file);
    read_classes();
    description_.has_keypoints = values_.contains("kpt_shape");
    if (const auto base = values_.find("path"); base != values_.end()) description_.base = base->second.text;
    read_split();
    return description_;
  }

 private:
  const std::string name() const { return description_.file.string(); }

  /// Without data.yaml.
  Description read_folders() {
    description_.file = list_of_names(data_.root);
    if (description_.file.empty())
      fail(ErrorCode::kIo, "{}: no such file, which names the classes, nor classes.txt",
           (data_.root / "data.yaml").string());
    for_each_line(description_.file,
                  [&](std::string_view line, const std::string&) { description_.classes.emplace_back(line); });
    for (const std::string& split : names_of_split(data_.split))
      for (const path& folder : {path("images") / split, path(split) / "images"})
        if (is_folder(data_.root / folder) && description_.entries.empty()) description_.entries = {folder};
    if (description_.entries.empty()) description_.entries = {"images"};
    return description_;
  }

  void read_classes() {
    const auto names = values_.find("names"), count = values_.find("nc");
    const bool none = names == values_.end() || (names->second.items.empty() && names->second.text.empty());
    if (none && count != values_.end()) return name_classes(count->second);
    if (names == values_.end()) bad_input("{}: no 'names' of the classes", name());
    const auto& items = names->second.items;
    description_.classes.resize(items.size());
    std::vector<bool> is_named(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string where = fmt::format("{}:{}: names", name(), names->second.line);
      const double key = names->second.is_map ? parse_number(items[i].key, where, "class") : static_cast<double>(i);
      if (!(key >= 0 && key < static_cast<double>(items.size())) || key != std::floor(key))
        bad_input("{}: class {} is none of 0 to {}", where, items[i].key, items.size() - 1);
      if (!items[i].is_text) bad_input("{}: the name of class {} is no text", where, key);
      if (is_named[static_cast<size_t>(key)]) bad_input("{}: class {} has two names", where, key);
      is_named[static_cast<size_t>(key)] = true;
      description_.classes[static_cast<size_t>(key)] = items[i].text;
    }
    if (items.empty()) bad_input("{}:{}: names: no list and no map", name(), names->second.line);
    if (count == values_.end()) return;
    const std::string where = fmt::format("{}:{}", name(), count->second.line);
    if (parse_number(count->second.text, where, "nc") != static_cast<double>(items.size()))
      bad_input("{}: nc is {}, but there are {} names", where, eval::printable(count->second.text), items.size());
  }

  /// Where there is but their number, Ultralytics calls them so.
  void name_classes(const YamlValue& count) {
    constexpr double kMost = 100'000;
    const std::string where = fmt::format("{}:{}", name(), count.line);
    const double number = parse_number(count.text, where, "nc");
    if (!(number >= 1 && number <= kMost) || number != std::floor(number))
      bad_input("{}: nc is {} and no whole number from 1 to {}", where, eval::printable(count.text), kMost);
    for (size_t i = 0; i < static_cast<size_t>(number); ++i) description_.classes.push_back(fmt::format("class_{}", i));
  }

  void read_split() {
    for (const std::string& split : names_of_split(data_.split)) {
      const auto found = values_.find(split);
      if (found == values_.end()) continue;
      line_ = found->second.line;
      if (!found->second.text.empty()) add_entry(found->second.text);
      for (const YamlValue::Item& item : found->second.items) add_entry(item.text);
      if (!description_.entries.empty()) return;
    }
    fail(ErrorCode::kIo, "{}: it has no split '{}'; choose one that it has (--split)", name(),
         eval::printable(data_.split));
  }

  /// Paths are meant from where the data set was made or trained on: of those that could be meant the first that is
  /// there counts, and none outside of the root.
  void add_entry(const std::string& text) {
    const path entry(text);
    path below = entry.lexically_normal();
    while (!below.empty() && *below.begin() == "..") below = below.lexically_relative("..");
    std::vector<path> meant{(description_.base / entry).lexically_normal(), entry.lexically_normal(), below};
    for (path& candidate : meant) {
      if (candidate.is_absolute()) {
        std::error_code ignored;
        candidate = candidate.lexically_relative(std::filesystem::absolute(data_.root, ignored).lexically_normal());
      }
      if (!candidate.empty() && stays_inside(candidate) && exists_below(data_.root, candidate))
        return description_.entries.push_back(candidate);
    }
    bad_input("{}:{}: '{}' is not in this folder; paths must be relative to it", name(), line_, eval::printable(text));
  }

  const DataSource& data_;
  std::map<std::string, YamlValue> values_;
  Description description_;
  size_t line_ = 0;  ///< of the split
};

/// The one folder of the split, relative to which images are named; or empty.
path only_folder(const DataSource& data, const Description& description) {
  if (description.entries.size() == 1 && is_folder(data.root / description.entries[0])) return description.entries[0];
  return {};
}

Location locate(const DataSource& data) {
  const Description description = DescriptionReader(data).read();
  return {description.file, {data.root / only_folder(data, description)}};
}

/// images/val/x.jpg -> labels/val/x.txt: the last folder of this name counts.
path labels_of(const path& image) {
  std::vector<path> parts(image.begin(), image.end());
  const auto last = std::find(parts.rbegin(), parts.rend(), path("images"));
  if (last != parts.rend()) *last = "labels";
  path labels;
  for (const path& part : parts) labels /= part;
  return labels.replace_extension(".txt");
}

/// Image files of a split, relative to the root.
std::vector<path> images_of(const DataSource& data, const Description& description) {
  std::vector<path> images;
  for (const path& entry : description.entries) {
    if (is_folder(data.root / entry)) {
      for (const path& image : images_below(data.root / entry)) images.push_back((entry / image).lexically_normal());
      continue;
    }
    for_each_line(data.root / entry, [&](std::string_view line, const std::string& where) {
      path image = path(line).lexically_normal();
      // What begins with ./ is meant from where the list lies, if there is one.
      if (const path beside = (entry.parent_path() / image).lexically_normal();
          line.starts_with("./") && stays_inside(beside) && is_file(data.root / beside))
        image = beside;
      if (image.is_absolute()) {
        std::error_code ignored;
        image = image.lexically_relative(std::filesystem::absolute(data.root, ignored).lexically_normal());
      }
      if (image.empty() || !stays_inside(image))
        bad_input("{}: '{}' leads out of the data set", where, eval::printable(line));
      images.push_back(image);
    });
  }
  return images;
}

/// Reads the labels of all images.
class LabelReader {
 public:
  explicit LabelReader(const Description& description) : description_(description) {}

  void read(const path& file, vision::ImageSize size, int64_t image) {
    std::set<std::vector<float>> seen;  // Ultralytics compares float32, and counts a line that comes twice once
    for_each_line(file, [&](std::string_view line, const std::string& where) {
      if (size.width == 0) return left_out_.add("the size of the image cannot be read", where);
      const Label label = parse(line, where);
      if (!seen.insert(label.as_floats()).second) return left_out_.add("the same as a line before it", where);
      eval::Annotation annotation = label.values.size() == 4 ? box(label.values, size) : polygon(label.values, size);
      annotation.category_id = static_cast<int64_t>(label.index) + 1;
      annotation.id = static_cast<int64_t>(annotations_.size()) + 1;
      annotation.image_id = image;
      annotations_.push_back(annotation);
    });
  }

  void give(eval::GroundTruth& truth) {
    truth.annotations = std::move(annotations_);
    left_out_.note(description_.file.string(), truth.notes);
  }

 private:
  /// A line: a class and a box, or a polygon.
  struct Label {
    double index;
    std::vector<double> values;

    std::vector<float> as_floats() const {
      std::vector<float> floats(values.begin(), values.end());
      floats.push_back(static_cast<float>(index));
      return floats;
    }
  };

  Label parse(std::string_view line, const std::string& where) const {
    const std::vector<std::string_view> words = words_of(line);
    const double label = parse_number(words[0], where, "class");
    if (!(label >= 0 && label < static_cast<double>(description_.classes.size())) || label != std::floor(label))
      bad_input("{}: class {} is none of the {} classes (0 to {}) of {}", where, eval::printable(words[0]),
                description_.classes.size(), description_.classes.size() - 1, description_.file.string());
    std::vector<double> values;
    for (size_t i = 1; i < words.size(); ++i) values.push_back(parse_number(words[i], where, "coordinate"));
    if (description_.has_keypoints && values.size() > 4) values.resize(4);
    for (const double value : values)
      if (value < -kBeyond || value > 1 + kBeyond)
        bad_input("{}: {} is not between 0 and 1, as parts of the image's sides are", where, value);
    constexpr size_t kLeast = 6;
    if (values.size() != 4 && (values.size() < kLeast || values.size() % 2 != 0))
      bad_input("{}: {} numbers after the class are neither a box (4) nor a polygon (6, 8, ...)", where, values.size());
    if (values.size() == 4 && std::min(values[2], values[3]) < 0)
      bad_input("{}: the box's side {} is negative", where, std::min(values[2], values[3]));
    return {label, std::move(values)};
  }

  static eval::Annotation box(const std::vector<double>& values, vision::ImageSize size) {
    const double x = values[0] * size.width, y = values[1] * size.height;
    const double width = values[2] * size.width, height = values[3] * size.height;
    eval::Annotation annotation = annotation_between(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
    annotation.bbox[2] = settled(width);
    annotation.bbox[3] = settled(height);
    annotation.area = annotation.bbox[2] * annotation.bbox[3];
    return annotation;
  }

  static eval::Annotation polygon(const std::vector<double>& values, vision::ImageSize size) {
    double left = values[0], top = values[1], right = left, bottom = top, twice_area = 0;
    for (size_t i = 0; i < values.size(); i += 2) {
      const size_t next = (i + 2) % values.size();
      left = std::min(left, values[i]);
      right = std::max(right, values[i]);
      top = std::min(top, values[i + 1]);
      bottom = std::max(bottom, values[i + 1]);
      twice_area += values[i] * values[next + 1] - values[next] * values[i + 1];
    }
    eval::Annotation annotation =
        annotation_between(left * size.width, top * size.height, right * size.width, bottom * size.height);
    annotation.area = std::abs(twice_area) / 2 * size.width * size.height;
    return annotation;
  }

  const Description& description_;
  std::vector<eval::Annotation> annotations_;
  LeftOutBoxes left_out_;
};

eval::GroundTruth read(const DataSource& data) {
  const Description description = DescriptionReader(data).read();
  const path base = only_folder(data, description);
  eval::GroundTruth truth;
  for (size_t i = 0; i < description.classes.size(); ++i)
    truth.categories.push_back({static_cast<int64_t>(i) + 1, description.classes[i]});
  LabelReader labels(description);
  std::vector<std::string> keys;
  for (const path& image : images_of(data, description)) {
    const path name = base.empty() ? image : image.lexically_relative(base);
    const vision::ImageSize size = upright_size(data.images.empty() ? data.root / image : data.images / name);
    if (const path file = data.root / labels_of(image); is_file(file))
      labels.read(file, size, static_cast<int64_t>(truth.images.size()));
    truth.images.push_back({0, name.string(), size.width, size.height});
    keys.push_back(path(name).replace_extension().string());
  }
  labels.give(truth);
  // Lists name images with their folders, which are no part of a number.
  const auto stem = [](const std::string& key) { return path(key).filename().string(); };
  std::vector<std::string> stems;
  std::ranges::transform(keys, std::back_inserter(stems), stem);
  std::vector<std::string> sorted = stems;
  std::ranges::sort(sorted);
  settle_image_ids(truth, std::ranges::adjacent_find(sorted) == sorted.end() ? stems : keys, description.file.string());
  return truth;
}

/// A name without control characters in quotes, as YAML and JSON have them.
std::string quoted_name(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string label_line(const eval::Annotation& annotation, const eval::ImageRecord& image, size_t label) {
  const auto& [left, top, width, height] = annotation.bbox;
  return fmt::format("{} {} {} {} {}\n", label, (left + width / 2) / image.width, (top + height / 2) / image.height,
                     width / image.width, height / image.height);
}

std::string written_images(const std::string& split) { return "images/" + split_called(split, "val", "train", "test"); }

/// Ultralytics wants both val and train, whatever is there.
std::string paths_of_splits(const std::string& split) {
  const std::string own = split_called(split, "val", "train", "test"), folder = written_images(split);
  std::string paths = fmt::format("train: {0}\nval: {0}\n", folder);
  if (own != "val" && own != "train") paths += fmt::format("{}: {}\n", own, folder);
  return paths;
}

void write(const path& root, const eval::GroundTruth& truth, const Origin& origin) {
  const std::map<int64_t, std::string> names = category_names(truth);
  std::map<int64_t, size_t> labels;
  std::string yaml = paths_of_splits(origin.split) + "names:\n";
  for (const auto& [id, name] : names) {
    yaml += fmt::format("  {}: {}\n", labels.size(), quoted_name(name));
    labels.emplace(id, labels.size());
  }
  std::vector<std::string> lines(truth.images.size());
  for (const eval::Annotation& annotation : truth.annotations) {
    const size_t i = truth.image_index.at(annotation.image_id);
    lines[i] += label_line(annotation, truth.images[i], labels.at(annotation.category_id));
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    const path file = root / labels_of(path(written_images(origin.split)) / truth.images[i].file_name);
    make_folder(file.parent_path());
    write_file(file, lines[i], /*sync=*/false);
  }
  write_file(root / "data.yaml", yaml);
}

}  // namespace
}  // namespace yolo

extern const Format kYolo;  // the row in formats.cc
constinit const Format kYolo{.name = "yolo",
                             .layout = "data.yaml, images/ and labels/*.txt",
                             .recognises = yolo::recognises,
                             .locate = yolo::locate,
                             .read = yolo::read,
                             .write = yolo::write,
                             .written_images = yolo::written_images};

}  // namespace effdet::dataset
