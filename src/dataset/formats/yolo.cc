// YOLO: a picture, a text file with its labels in labels/ or beside it, and what names classes and splits: data.yaml,
// Darknet's obj.data, or the names of the classes alone.
#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/darknet.h"
#include "dataset/formats/records.h"
#include "dataset/formats/yaml.h"
#include "dataset/formats/yolo_labels.h"
#include "effdet/image.h"
#include "effdet/paths.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace yolo {
namespace {

using std::filesystem::path;

/// data.yaml under one of its usual names, or empty.
path usual_yaml_of(const path& root) {
  for (const char* name : {"data.yaml", "data.yml", "dataset.yaml", "dataset.yml"})
    if (is_file(root / name)) return root / name;
  return {};
}

/// data.yaml or what it is called, or empty: coco8.yaml, where it is the only one.
path yaml_of(const path& root) {
  const path usual = usual_yaml_of(root);
  return usual.empty() ? only_file(root, {".yaml", ".yml"}) : usual;
}

/// Whether obj.data describes the data set, and no data.yaml does.
bool is_darknet(const path& root) {
  if (!usual_yaml_of(root).empty()) return false;
  return !darknet::usual_file_of(root).empty() || (yaml_of(root).empty() && !darknet::file_of(root).empty());
}

/// A list of class names, as LabelImg, Label Studio and Roboflow write it beside or above the labels; or empty.
path list_of_names(const path& folder) {
  for (const char* name : {"classes.txt", "labels/classes.txt", "obj.names", "_darknet.labels"})
    if (is_file(folder / name)) return folder / name;
  return {};
}

bool has_images_and_labels(const path& folder) { return is_folder(folder / "images") && is_folder(folder / "labels"); }

bool recognises(const path& root) {
  if (!usual_yaml_of(root).empty() || !darknet::usual_file_of(root).empty() || has_images_and_labels(root)) return true;
  const bool has_list = !list_of_names(root).empty();
  for (const std::string& name : usual_split_names())
    if ((has_list || !list_of_names(root / name).empty()) &&
        (has_images_and_labels(root / name) || has_labelled_picture(root / name, ".txt")))
      return true;
  return has_list && (has_labelled_picture(root, ".txt") || has_labelled_picture(root / "data", ".txt"));
}

path labels_of(const path&, const path& image) { return labels_beside_images(image); }

/// The part of a data set that was asked for.
struct Split {
  Description description;
  std::vector<path> entries;  ///< folders of images, or lists of them, relative to the root
};

/// Those of the usual names of splits that are there.
template <typename IsThere>
std::vector<std::string> splits_where(IsThere is_there) {
  std::vector<std::string> splits = usual_split_names();
  std::erase_if(splits, [&](const std::string& name) { return !is_there(name); });
  return splits;
}

/// The folder of a split by the names of folders, relative to the root: its own, or one of images without splits.
path folder_of_split(const DataSource& data) {
  const std::vector<std::string> names = names_of_split(data.split);
  const bool has_images = is_folder(data.root / "images");
  for (const std::string& name : names)
    for (const path& folder : {path("images") / name, path(name) / "images", path(name)})
      if (is_folder(data.root / folder) && (!has_images || folder != name)) return folder;
  path whole = ".";
  for (const char* folder : {"data", "images"})
    if (is_folder(data.root / folder)) whole = folder;
  const auto others = splits_where([&](const std::string& name) { return is_folder(data.root / whole / name); });
  if (!others.empty()) refuse_split(data, data.root / whole, others);
  return whole;
}

/// Without data.yaml: the names of the classes are in a list.
Split split_of_folders(const DataSource& data) {
  Split split;
  const path folder = folder_of_split(data);
  split.entries = {folder};
  path& file = split.description.file;
  for (const path& place : {data.root, data.root / folder, data.root / folder.parent_path()})
    if (file.empty()) file = list_of_names(place);
  if (file.empty())
    fail(ErrorCode::kIo, "{}: no such file, which names the classes, nor classes.txt",
         (data.root / "data.yaml").string());
  split.description.classes = read_names(file);
  return split;
}

/// Reads data.yaml.
class YamlReader {
 public:
  explicit YamlReader(const DataSource& data) : data_(data) {}

  Split read() {
    description_.file = yaml_of(data_.root);
    values_ = read_yaml(description_.file);
    read_classes();
    description_.has_keypoints = values_.contains("kpt_shape");
    if (const auto base = values_.find("path"); base != values_.end()) base_ = base->second.text;
    read_split();
    return split_;
  }

 private:
  std::string name() const { return description_.file.string(); }

  /// Whether there is more than the key.
  bool has_value(const std::string& key) const {
    const auto found = values_.find(key);
    return found != values_.end() && !(found->second.items.empty() && found->second.text.empty());
  }

  void read_classes() {
    const auto names = values_.find("names"), count = values_.find("nc");
    if (!has_value("names") && count != values_.end()) return name_classes(count->second);
    if (names == values_.end()) bad_input("{}: no 'names' of the classes", name());
    const auto& items = names->second.items;
    description_.classes.resize(items.size());
    std::vector<bool> is_named(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string where = fmt::format("{}:{}: names", name(), names->second.line);
      const double key = names->second.is_map ? parse_number(items[i].key, where, "class") : static_cast<double>(i);
      if (!is_whole_number(key, 0, static_cast<double>(items.size()) - 1))
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
    if (!is_whole_number(number, 1, kMost))
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
      if (!split_.entries.empty()) return;
    }
    const auto others = splits_where([&](const std::string& name) { return has_value(name); });
    if (others.empty()) return split_.entries.push_back(folder_of_split(data_));  // supervision names classes alone
    refuse_split(data_, description_.file, others);
  }

  /// Paths are meant from where the data set was made or trained on: of those that could be meant the first that is
  /// there counts, and none outside of the root.
  void add_entry(const std::string& text) {
    const path entry(text);
    path climbed = entry.lexically_normal();
    while (!climbed.empty() && *climbed.begin() == "..") climbed = climbed.lexically_relative("..");
    const std::array meant{base_ / entry, entry, climbed};
    for (const path& candidate : meant) {
      const std::optional<path> inside = below(data_.root, candidate);
      if (inside && exists_below(data_.root, *inside)) return split_.entries.push_back(*inside);
    }
    bad_input("{}:{}: '{}' is not in this folder; paths must be relative to it", name(), line_, eval::printable(text));
  }

  const DataSource& data_;
  std::map<std::string, YamlValue> values_;
  Split split_;
  Description& description_ = split_.description;
  path base_;        ///< what "path" says, relative to the root
  size_t line_ = 0;  ///< of the split
};

Split read_split(const DataSource& data) {
  Split split = yaml_of(data.root).empty() ? split_of_folders(data) : YamlReader(data).read();
  split.description.labels_of = labels_of;
  if (split.entries.size() == 1 && is_folder(data.root / split.entries[0]) && split.entries[0] != ".")
    split.description.folder = split.entries[0];
  return split;
}

Location locate(const DataSource& data) {
  const Description description =
      is_darknet(data.root) ? darknet::read_split(data).description : read_split(data).description;
  return {description.file, {description.folder.empty() ? data.root : data.root / description.folder}};
}

/// Image files of a split, relative to the root.
std::vector<path> images_of(const DataSource& data, const Split& split) {
  std::vector<path> images;
  for (const path& entry : split.entries) {
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
      images.push_back(image_below_root(data.root, image, where));
    });
  }
  return images;
}

eval::GroundTruth read(const DataSource& data) {
  if (is_darknet(data.root)) {
    const darknet::Split split = darknet::read_split(data);
    return read_labels(data, split.description, split.images);
  }
  const Split split = read_split(data);
  return read_labels(data, split.description, images_of(data, split));
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

/// Those that Ultralytics 8.4 takes for images; it passes over others without a word.
constexpr std::array<std::string_view, 13> kListedExtensions{".avif", ".bmp", ".dng", ".heic", ".heif", ".jp2", ".jpeg",
                                                             ".jpg",  ".mpo", ".png", ".tif",  ".tiff", ".webp"};

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
    const path file = root / labels_beside_images(path(written_images(origin.split)) / truth.images[i].file_name);
    make_folder(file.parent_path());
    write_file(file, lines[i], /*sync=*/false);
  }
  write_file(root / "data.yaml", yaml);
}

}  // namespace
}  // namespace yolo

extern const Format kYolo;  // the row in formats.cc
constinit const Format kYolo{.name = "yolo",
                             .layout = "data.yaml or obj.data, images/ and labels/*.txt",
                             .recognises = yolo::recognises,
                             .locate = yolo::locate,
                             .read = yolo::read,
                             .write = yolo::write,
                             .written_images = yolo::written_images,
                             .listed_extensions = yolo::kListedExtensions};

}  // namespace effdet::dataset
