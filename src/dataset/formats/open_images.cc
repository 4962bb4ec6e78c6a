// Open Images: boxes of all images in one CSV file, names of classes in another, images named after their ids. A third
// one lists the images, also those without boxes.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "dataset/format.h"
#include "dataset/formats/open_images.h"
#include "dataset/formats/records.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace open_images {
namespace {

using std::filesystem::path;

/// The published names, and those of FiftyOne's downloads.
std::vector<Location> places_of(const path& root, const std::string& split) {
  std::vector<Location> places;
  for (const std::string& name : names_of_split(split)) {
    for (const path& folder : {root, root / "annotations"})
      for (const char* prefix : {"", "oidv6-"})
        places.push_back({folder / (prefix + name + "-annotations-bbox.csv"),
                          {root / name, root / "images" / name, root / "images", root / name / "data"}});
    places.push_back({root / name / "labels" / "detections.csv", {root / name / "data"}});
  }
  places.push_back({root / "labels" / "detections.csv", {root / "data"}});
  return places;
}

bool is_there(const Location& place) { return is_file(place.annotations); }

bool recognises(const path& root) {
  return std::ranges::any_of(std::array{"val", "train", "test"},
                             [&](const char* split) { return std::ranges::any_of(places_of(root, split), is_there); });
}

Location locate(const DataSource& data) {
  const std::vector<Location> places = places_of(data.root, data.split);
  const auto found = std::ranges::find_if(places, is_there);
  return found == places.end() ? places.front() : *found;
}

path classes_of(const DataSource& data, const path& annotations) {
  const path beside = annotations.parent_path();
  for (const path& folder : {beside, data.root, beside.parent_path() / "metadata"})
    for (const char* name : {"class-descriptions-boxable.csv", "oidv7-class-descriptions-boxable.csv",
                             "class-descriptions.csv", "classes.csv"})
      if (is_file(folder / name)) return folder / name;
  fail(ErrorCode::kIo, "{}: no such file, which names the classes",
       (data.root / "class-descriptions-boxable.csv").string());
}

/// Calls action(label, name, where) for each class of the file.
template <typename Action>
void for_each_class(const path& classes, Action action) {
  for_each_line(classes, [&](std::string_view line, const std::string& where) {
    const auto columns = csv_columns(line);
    if (columns.size() < 2) bad_input("{}: no label and name of a class", where);
    if (columns[0] != "LabelName") action(columns[0], columns[1], where);
  });
}

/// The first of the names that is there, beside the annotations, in the root or in FiftyOne's folder.
path beside(const DataSource& data, const std::vector<std::string>& names) {
  const path folder = locate(data).annotations.parent_path();
  for (const path& place : {folder, data.root, folder.parent_path() / "metadata"})
    for (const std::string& name : names)
      if (is_file(place / name)) return place / name;
  return {};
}

constexpr std::string_view kImageList = "-images-with-rotation.csv";
constexpr std::array<std::string_view, 6> kExtensions = {".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"};

/// As the published images have them: hexadecimal, and strings even where all digits are decimal.
constexpr size_t kIdLength = 16;

void require_id(const std::string& id, const std::string& where) {
  if (id.empty() || id.find_first_of("/\\") != std::string::npos || id.starts_with('.'))
    bad_input("{}: '{}' is no id of an image", where, eval::printable(id));
}

/// Calls action(id) for each image in the list of the split, where there is one.
template <typename Action>
void for_each_listed_image(const DataSource& data, Action action) {
  std::vector<std::string> names;
  for (const std::string& split : names_of_split(data.split))
    for (const char* prefix : {"", "oidv6-", "oidv7-"}) names.push_back(prefix + split + std::string(kImageList));
  const path list = beside(data, names);
  if (list.empty()) return;
  std::optional<size_t> place;
  for_each_line(list, [&](std::string_view line, const std::string& where) {
    if (!place) {
      const CsvHeader header(line, where);
      header.require({"ImageID"}, where, "lists of images");
      place = header.find("ImageID");
      return;
    }
    const auto columns = csv_columns(line);
    if (columns.size() <= *place) bad_input("{}: {} columns, and no ImageID", where, columns.size());
    require_id(columns[*place], where);
    action(columns[*place]);
  });
}

/// Reads the images that are there, and their boxes.
class BoxReader {
 public:
  explicit BoxReader(const DataSource& data)
      : data_(data), place_(locate(data)), classes_(classes_of(data, place_.annotations)) {
    images_ = data.images.empty() ? first_folder(place_.image_folders) : data.images;
  }

  eval::GroundTruth read() {
    for_each_class(classes_, [&](const std::string& label, const std::string& name, const std::string& where) {
      const int64_t id = static_cast<int64_t>(categories_.size()) + 1;
      if (!categories_.emplace(label, id).second)
        bad_input("{}: class '{}' occurs twice", where, eval::printable(label));
      truth_.categories.push_back({id, name});
    });
    for_each_line(place_.annotations, [&](std::string_view line, const std::string& where) {
      header_.empty() ? read_header(line, where) : read_box(csv_columns(line), where);
    });
    if (header_.empty()) bad_input("{}: it is empty, without the names of its columns", place_.annotations.string());
    for_each_listed_image(data_, [&](const std::string& id) {
      if (!places_.contains(id)) add_image(id);
    });
    if (missing_ > 0)
      truth_.notes.push_back(fmt::format("{}: {} images are not in {}, and left out with their boxes",
                                         place_.annotations.string(), missing_, images_.string()));
    const bool are_own = std::ranges::any_of(keys_, [](const std::string& key) { return key.size() == kIdLength; });
    (are_own ? settle_string_ids : settle_image_ids)(truth_, keys_, place_.annotations.string());
    left_out_.note(place_.annotations.string(), truth_.notes);
    return std::move(truth_);
  }

 private:
  void read_header(std::string_view line, const std::string& where) {
    header_ = CsvHeader(line, where);
    header_.require({"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"}, where, "boxes of Open Images");
  }

  void read_box(const std::vector<std::string>& columns, const std::string& where) {
    header_.check_line(columns, where);
    const auto value = [&](const char* name) { return columns[header_.find(name).value()]; };
    const auto category = categories_.find(value("LabelName"));
    if (category == categories_.end())
      bad_input("{}: class '{}' is none of {}", where, eval::printable(value("LabelName")), classes_.string());
    const std::optional<size_t> image = image_of(value("ImageID"), where);
    std::array<double, 4> sides{};
    for (size_t i = 0; const char* name : {"XMin", "YMin", "XMax", "YMax"}) {
      sides[i] = parse_number(value(name), where, name);
      if (!(sides[i] >= 0 && sides[i] <= 1)) bad_input("{}: {} {} is not between 0 and 1", where, name, sides[i]);
      ++i;
    }
    if (!image) return;
    if (sides[2] < sides[0] || sides[3] < sides[1]) return left_out_.add("the corners are exchanged", where);
    const int width = truth_.images[*image].width, height = truth_.images[*image].height;
    if (width == 0) return left_out_.add("the size of the image cannot be read", where);
    eval::Annotation annotation =
        annotation_between(sides[0] * width, sides[1] * height, sides[2] * width, sides[3] * height);
    annotation.id = static_cast<int64_t>(truth_.annotations.size()) + 1;
    annotation.image_id = static_cast<int64_t>(*image);
    annotation.category_id = category->second;
    annotation.is_crowd = header_.find("IsGroupOf") && value("IsGroupOf") == "1";
    truth_.annotations.push_back(annotation);
  }

  /// The image's place; nothing where its file is not there, as in downloads of a part.
  std::optional<size_t> image_of(const std::string& id, const std::string& where) {
    require_id(id, where);
    if (const auto known = places_.find(id); known != places_.end()) return known->second;
    const std::optional<size_t> place = add_image(id);
    missing_ += place ? 0 : 1;
    return place;
  }

  std::optional<size_t> add_image(const std::string& id) {
    std::optional<size_t>& place = places_[id];
    for (const std::string_view extension : kExtensions) {
      const std::string name = id + std::string(extension);
      if (!is_file(images_ / name)) continue;
      const vision::ImageSize size = upright_size(images_ / name);
      place = truth_.images.size();
      truth_.images.push_back({0, name, size.width, size.height});
      keys_.push_back(id);
      break;
    }
    return place;
  }

  const DataSource& data_;
  Location place_;
  path classes_, images_;
  eval::GroundTruth truth_;
  std::map<std::string, int64_t> categories_;  ///< by label
  CsvHeader header_;
  std::map<std::string, std::optional<size_t>> places_;
  std::vector<std::string> keys_;  ///< of truth_.images
  LeftOutBoxes left_out_;
  size_t missing_ = 0;
};

eval::GroundTruth read(const DataSource& data) { return BoxReader(data).read(); }

/// A column in quotes where it needs them. Throws for what no line holds.
std::string csv_column(const std::string& text) {
  if (text.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos)
    bad_input("'{}': Open Images' files cannot hold names with line ends", eval::printable(text));
  const bool is_plain =
      text.find_first_of(",\"\t\f\v") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ');
  if (is_plain) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

/// The id that the image's name is. Throws where it is none.
std::string id_of(const std::string& file_name) {
  const path name(file_name);
  if (name.has_parent_path() || std::ranges::find(kExtensions, name.extension().string()) == kExtensions.end())
    bad_input("'{}': images of Open Images lie in one folder, as ID.jpg or ID.png; others have to be saved so first",
              eval::printable(file_name));
  require_id(name.stem().string(), "'" + eval::printable(file_name) + "'");
  return name.stem().string();
}

/// What is not known (occluded, truncated, depiction, inside) is -1, as in the published files.
std::string box_line(const eval::Annotation& annotation, const eval::ImageRecord& image, const std::string& label) {
  const auto& [left, top, width, height] = annotation.bbox;
  const auto part = [](double pixels, int side) { return std::clamp(pixels / side, 0.0, 1.0); };
  return fmt::format("{},effdet,{},1,{},{},{},{},-1,-1,{},-1,-1\n", csv_column(id_of(image.file_name)), label,
                     part(left, image.width), part(left + width, image.width), part(top, image.height),
                     part(top + height, image.height), annotation.is_crowd ? 1 : 0);
}

/// Labels are those of no vocabulary: "/category/1", numbered as reading numbers them.
std::string written_images(const std::string& split) { return split_called(split, "validation", "train", "test"); }

void write(const path& root, const eval::GroundTruth& truth, const Origin& origin) {
  const std::string split = written_images(origin.split);
  std::map<int64_t, std::string> labels;
  std::string classes, images = "ImageID,Subset\n";
  for (const auto& [id, name] : category_names(truth)) {
    const std::string& label = labels[id] = fmt::format("/category/{}", labels.size() + 1);
    classes += label + "," + csv_column(name) + "\n";
  }
  for (const eval::ImageRecord& image : truth.images) images += csv_column(id_of(image.file_name)) + "," + split + "\n";
  AtomicFile boxes(root / (split + "-annotations-bbox.csv"));
  boxes.write(
      "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,"
      "IsInside\n");
  for (const eval::Annotation& annotation : truth.annotations)
    boxes.write(box_line(annotation, truth.images[truth.image_index.at(annotation.image_id)],
                         labels.at(annotation.category_id)));
  write_file(root / "class-descriptions-boxable.csv", classes);
  write_file(root / (split + std::string(kImageList)), images);
  boxes.commit();
}

}  // namespace
}  // namespace open_images

std::map<std::string, int64_t> open_images_labels(const DataSource& data) {
  std::map<std::string, int64_t> labels;
  open_images::for_each_class(open_images::classes_of(data, open_images::locate(data).annotations),
                              [&](const std::string& label, const std::string&, const std::string&) {
                                labels.emplace(label, static_cast<int64_t>(labels.size()) + 1);
                              });
  return labels;
}

std::filesystem::path open_images_hierarchy(const DataSource& data) {
  return open_images::beside(
      data, {"bbox_labels_600_hierarchy.json", "challenge-2019-label500-hierarchy.json", "hierarchy.json"});
}

std::filesystem::path open_images_image_labels(const DataSource& data) {
  std::vector<std::string> names;
  for (const std::string& split : names_of_split(data.split))
    for (const char* prefix : {"", "oidv6-", "oidv7-"})
      for (const char* suffix : {"-boxable.csv", ".csv"})
        names.push_back(prefix + split + "-annotations-human-imagelabels" + suffix);
  names.emplace_back("classifications.csv");
  return open_images::beside(data, names);
}

extern const Format kOpenImages;  // the row in formats.cc
constinit const Format kOpenImages{.name = "openimages",
                                   .layout = "validation-annotations-bbox.csv and validation/",
                                   .recognises = open_images::recognises,
                                   .locate = open_images::locate,
                                   .read = open_images::read,
                                   .write = open_images::write,
                                   .written_images = open_images::written_images,
                                   .holds_crowds = true};

}  // namespace effdet::dataset
