// Pascal VOC: an XML file an image in Annotations/, images in JPEGImages/, and lists of the splits in ImageSets/Main/.
//
// VOC counts pixels from 1, and both corners of a box are pixels of it: a box that covers an image of 100 x 50 pixels
// is 1, 1, 100, 50. In the coordinates of all else here, which are those between pixels, it goes from xmin - 1 to xmax.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/records.h"
#include "dataset/formats/xml.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace voc {
namespace {

using std::filesystem::path;

/// The challenge's own, in their order, which is that of effdet's classes.
constexpr std::array<std::string_view, 20> kClasses{
    "aeroplane",   "bicycle", "bird",  "boat",      "bottle", "bus",         "car",   "cat",  "chair", "cow",
    "diningtable", "dog",     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"};

/// Files that an iterator comes to and that end so, relative to its folder, sorted; none where there is no such folder.
template <typename Iterator>
std::vector<path> files_of(const path& folder, std::string_view extension) {
  std::vector<path> files;
  std::error_code error;
  for (Iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == extension) files.push_back(entry->path().lexically_relative(folder));
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
    fail(ErrorCode::kIo, "{}: cannot read the folder: {}", folder.string(), error.message());
  std::ranges::sort(files);
  return files;
}

/// Of the folder itself. Throws Error(kIo).
std::vector<path> files_in(const path& folder, std::string_view extension) {
  return files_of<std::filesystem::directory_iterator>(folder, extension);
}

/// Of its subfolders, too.
std::vector<path> files_below(const path& folder, std::string_view extension) {
  return files_of<std::filesystem::recursive_directory_iterator>(folder, extension);
}

/// The folder with Annotations/: the root, or that of a year in VOCdevkit/.
path base_of(const path& root) {
  if (is_folder(root / "Annotations")) return root;
  for (const path& folder : {root, root / "VOCdevkit"})
    for (const char* year : {"VOC2012", "VOC2007"})
      if (is_folder(folder / year / "Annotations")) return folder / year;
  return root;
}

/// The folder of a split where there are XML files beside the images, as Roboflow has them.
std::optional<path> mixed_folder(const path& root, const std::string& split) {
  for (const std::string& name : names_of_split(split))
    if (!files_in(root / name, ".xml").empty()) return root / name;
  return std::nullopt;
}

/// Where others have the files of a data set without splits: FiftyOne, supervision and many published sets, and
/// LabelImg, which writes them beside the images.
std::optional<Location> place_without_split(const path& root) {
  for (const auto& [annotations, images] :
       {std::pair("labels", "data"), {"labels", "images"}, {"annotations", "images"}})
    if (!files_in(root / annotations, ".xml").empty()) return Location{root / annotations, {root / images}};
  if (has_labelled_picture(root, ".xml")) return Location{root, {root}};
  return std::nullopt;
}

bool recognises(const path& root) {
  const path base = base_of(root), annotations = base / "Annotations";
  if (!files_below(annotations, ".xml").empty()) return true;
  if (is_folder(annotations) && !files_in(base / "ImageSets" / "Main", ".txt").empty()) return true;  // of backgrounds
  return place_without_split(root) || std::ranges::any_of(std::array{"val", "train", "test"}, [&](const char* split) {
           return mixed_folder(root, split).has_value();
         });
}

Location locate(const DataSource& data) {
  const path base = base_of(data.root);
  if (!is_folder(base / "Annotations")) {
    if (const auto folder = mixed_folder(data.root, data.split)) return {*folder, {*folder}};
    if (const auto place = place_without_split(data.root)) return *place;
  }
  return {base / "Annotations", {base / "JPEGImages", base / "images"}};
}

/// The name in a line of a list: "x", "x 1" in lists of a class, "a name with blanks" in quotes as Datumaro and CVAT
/// write it, or without where there are annotations or an image of that name.
std::string_view listed_name(std::string_view line, const path& annotations, const path& images) {
  if (const size_t end = line.find('"', 1); line.front() == '"' && end != line.npos && end > 1)
    return line.substr(1, end - 1);
  const std::string_view word = words_of(line)[0];
  if (word == line || !stays_inside(path(line))) return word;
  const std::string name(line);
  return is_file(annotations / (name + ".xml")) || !picture_called(images, name).empty() ? line : word;
}

/// The names in the list of a split; of data sets without lists all that are annotated.
std::vector<std::string> names_in_split(const DataSource& data, const path& annotations, const path& images) {
  std::vector<std::string> names;
  const path lists = annotations.parent_path() / "ImageSets" / "Main";
  if (annotations.filename() != "Annotations" || files_in(lists, ".txt").empty()) {
    // Beside images only those count that a folder itself has: others may be of another split.
    for (path& file : annotations == images ? files_in(annotations, ".xml") : files_below(annotations, ".xml"))
      names.push_back(file.replace_extension().string());
    return names;
  }
  path list;
  std::vector<std::string> splits = names_of_split(data.split);
  splits.push_back("default");  // CVAT's
  for (const std::string& split : splits)
    if (is_file(lists / (split + ".txt")) && list.empty()) list = lists / (split + ".txt");
  if (list.empty())
    fail(ErrorCode::kIo, "{}: no list of the split '{}', as {}.txt would be; there is {}", lists.string(),
         eval::printable(data.split), eval::printable(data.split), files_in(lists, ".txt").front().string());
  for_each_line(list, [&](std::string_view line, const std::string& where) {
    const std::string_view name = listed_name(line, annotations, images);
    if (!stays_inside(path(name))) bad_input("{}: '{}' leads out of the data set", where, eval::printable(name));
    names.emplace_back(name);
  });
  return names;
}

struct Object {
  std::string name;
  std::map<std::string, double, std::less<>> sides;
  bool is_difficult = false;
};

/// Reads the files of a data set into one list.
class VocReader {
 public:
  VocReader(const path& annotations, const path& images) : annotations_(annotations), image_folder_(images) {}

  eval::GroundTruth read(const std::vector<std::string>& names) {
    for (const std::string& name : names) read_image(name);
    number_categories();
    settle_image_ids(truth_, names, annotations_.string());
    left_out_.note(annotations_.string(), truth_.notes);
    if (backgrounds_ > 0)
      truth_.notes.push_back(
          fmt::format("{}: {} listed images have no file of annotations and count as images without "
                      "objects (the first: {})",
                      annotations_.string(), backgrounds_, first_background_));
    return std::move(truth_);
  }

 private:
  void read_image(const std::string& name) {
    image_ = {.id = 0, .file_name = {}};
    const path file = annotations_ / (name + ".xml");
    // Datumaro and CVAT write no file for an image without objects.
    const bool is_background = !is_file(file) && has_image(name);
    if (is_background && backgrounds_++ == 0) first_background_ = file.string();
    if (!is_background) read_annotations(file);
    image_.file_name = image_name(name);
    truth_.images.push_back(image_);
  }

  bool has_image(const std::string& stem) const {
    const std::string image = image_name(stem);
    return stays_inside(image) && is_file(image_folder_ / image);
  }

  void read_annotations(const path& file) {
    read_xml(file, {.begin = [&](std::string_view at, const std::string& where) { begin(at, where); },
                    .end = [&](std::string_view at, std::string_view text,
                               const std::string& where) { end(at, text, where); }});
  }

  void begin(std::string_view at, const std::string& where) {
    if (at.find('/') == std::string_view::npos && at != "annotation")
      bad_input("{}: the root is '{}', not 'annotation' as in Pascal VOC", where, eval::printable(at));
    if (at == "annotation/object") object_ = {};
    if (at == "annotation/object/bndbox" && !object_.sides.empty()) bad_input("{}: an object with two boxes", where);
    if (at == "annotation/object/name" && !object_.name.empty()) bad_input("{}: an object with two names", where);
  }

  void end(std::string_view at, std::string_view text, const std::string& where) {
    constexpr std::string_view kBox = "annotation/object/bndbox/";
    if (at == "annotation/filename") image_.file_name = text;
    if (at == "annotation/size/width") image_.width = side(text, where, "width");
    if (at == "annotation/size/height") image_.height = side(text, where, "height");
    if (at == "annotation/object/name") object_.name = text;
    if (at == "annotation/object/difficult") object_.is_difficult = text == "1";
    if (at.starts_with(kBox)) {
      const std::string_view name = at.substr(kBox.size());
      if (name == "xmin" || name == "ymin" || name == "xmax" || name == "ymax")
        object_.sides[std::string(name)] = parse_number(text, where, name);
    }
    if (at == "annotation/object") add_object(where);
  }

  /// 0, which is taken from the image, for what is no size.
  static int side(std::string_view text, const std::string& where, std::string_view name) {
    if (text.empty()) return 0;
    const double value = parse_number(text, where, name);
    return value >= 1 && value <= std::numeric_limits<int>::max() ? static_cast<int>(value) : 0;
  }

  void add_object(const std::string& where) {
    if (object_.name.empty()) bad_input("{}: an object without a name", where);
    for (const char* side : {"xmin", "ymin", "xmax", "ymax"})
      if (!object_.sides.contains(side)) bad_input("{}: an object without {} in a bndbox", where, side);
    const auto& sides = object_.sides;
    eval::Annotation annotation =
        annotation_between(sides.at("xmin") - 1, sides.at("ymin") - 1, sides.at("xmax"), sides.at("ymax"));
    if (annotation.bbox[2] < 0 || annotation.bbox[3] < 0) return left_out_.add("the corners are exchanged", where);
    annotation.id = static_cast<int64_t>(truth_.annotations.size()) + 1;
    annotation.image_id = static_cast<int64_t>(truth_.images.size());
    annotation.is_crowd = object_.is_difficult;
    truth_.annotations.push_back(annotation);
    labels_.push_back(object_.name);
  }

  /// The name in the file, if there is such an image, else that of the annotations.
  std::string image_name(const std::string& stem) const {
    const std::string& named = image_.file_name;
    if (!named.empty() && (!stays_inside(named) || is_file(image_folder_ / named))) return named;
    if (const path picture = picture_called(image_folder_, stem); !picture.empty()) return picture.string();
    return named.empty() ? stem + ".jpg" : named;
  }

  /// The challenge's numbers where all names are its own, else the order of the names.
  void number_categories() {
    std::set<std::string> names(labels_.begin(), labels_.end());
    const bool is_challenge = std::ranges::all_of(
        names, [](const std::string& name) { return std::ranges::find(kClasses, name) != kClasses.end(); });
    if (is_challenge) names.insert(kClasses.begin(), kClasses.end());
    truth_.are_categories_by_name = !is_challenge;
    std::map<std::string, int64_t> ids;
    for (const std::string& name : names) {
      const int64_t id = static_cast<int64_t>(ids.size()) + 1;
      ids.emplace(name, id);
      truth_.categories.push_back({id, name});
    }
    for (size_t i = 0; i < labels_.size(); ++i) truth_.annotations[i].category_id = ids.at(labels_[i]);
  }

  path annotations_;
  path image_folder_;
  eval::GroundTruth truth_;
  LeftOutBoxes left_out_;
  size_t backgrounds_ = 0;
  std::string first_background_;
  std::vector<std::string> labels_;  ///< of each annotation
  eval::ImageRecord image_;
  Object object_;
};

eval::GroundTruth read(const DataSource& data) {
  const auto [annotations, folders] = locate(data);
  if (!is_folder(annotations)) fail(ErrorCode::kIo, "{}: no such folder", annotations.string());
  const path images = data.images.empty() ? first_folder(folders) : data.images;
  return VocReader(annotations, images).read(names_in_split(data, annotations, images));
}

/// A text between tags.
std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) bad_input("'{}': XML cannot hold this name", eval::printable(text));
    xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return xml;
}

std::string object_xml(const eval::Annotation& annotation, const std::string& name) {
  const auto& [left, top, width, height] = annotation.bbox;
  return fmt::format(
      "  <object>\n    <name>{}</name>\n    <pose>Unspecified</pose>\n    <truncated>0</truncated>\n"
      "    <difficult>{}</difficult>\n    <bndbox>\n      <xmin>{}</xmin>\n      <ymin>{}</ymin>\n"
      "      <xmax>{}</xmax>\n      <ymax>{}</ymax>\n    </bndbox>\n  </object>\n",
      escaped(name), annotation.is_crowd ? 1 : 0, settled(left + 1), settled(top + 1), settled(left + width),
      settled(top + height));
}

/// The list of labels that Datumaro and CVAT want beside names that are not the challenge's.
std::string label_map(const std::map<int64_t, std::string>& names) {
  std::string text = "# label:color_rgb:parts:actions\n";
  for (const auto& [id, name] : names) text += name + ":::\n";
  return text;
}

/// A name in a list, in quotes where it has blanks, as Datumaro and CVAT read it.
std::string list_line(const std::string& key) {
  if (words_of(key).size() == 1 && !key.starts_with('"')) return key;
  if (key.find('"') != key.npos)
    bad_input("'{}': lists of VOC cannot hold names with blanks and quotes", eval::printable(key));
  return '"' + key + '"';
}

void write(const path& root, const eval::GroundTruth& truth, const Origin& origin) {
  const std::map<int64_t, std::string> names = category_names(truth);
  std::vector<std::string> objects(truth.images.size());
  for (const eval::Annotation& annotation : truth.annotations)
    objects[truth.image_index.at(annotation.image_id)] += object_xml(annotation, names.at(annotation.category_id));
  std::string list;
  for (size_t i = 0; i < truth.images.size(); ++i) {
    const eval::ImageRecord& image = truth.images[i];
    const std::string key = path(image.file_name).replace_extension().string();
    const path file = root / "Annotations" / (key + ".xml");
    make_folder(file.parent_path());
    write_file(
        file,
        fmt::format("<annotation>\n  <filename>{}</filename>\n  <source><database>{}</database></source>\n"
                    "  <size>\n    <width>{}</width>\n    <height>{}</height>\n    <depth>3</depth>\n"
                    "  </size>\n  <segmented>0</segmented>\n{}</annotation>\n",
                    escaped(image.file_name), escaped(origin.description), image.width, image.height, objects[i]),
        /*sync=*/false);
    list += list_line(key) + "\n";
  }
  write_file(root / "labelmap.txt", label_map(names));
  make_folder(root / "ImageSets" / "Main");
  write_file(root / "ImageSets" / "Main" / (split_called(origin.split, "val", "train", "test") + ".txt"), list);
}

}  // namespace
}  // namespace voc

extern const Format kVoc;  // the row in formats.cc
constinit const Format kVoc{.name = "voc",
                            .layout = "Annotations/*.xml and JPEGImages/",
                            .recognises = voc::recognises,
                            .locate = voc::locate,
                            .read = voc::read,
                            .write = voc::write,
                            .written_images = [](const std::string&) { return std::string("JPEGImages"); },
                            .holds_crowds = true,
                            .holds_outside = true};

}  // namespace effdet::dataset
