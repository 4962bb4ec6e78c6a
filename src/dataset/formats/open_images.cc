// Open Images: boxes of all images in one CSV file, names of classes in another, images named after their ids.
#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/error.h"
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

/// Reads the boxes of the images that are there.
class BoxReader {
 public:
  explicit BoxReader(const DataSource& data) : place_(locate(data)), classes_(classes_of(data, place_.annotations)) {
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
    if (missing_ > 0)
      truth_.notes.push_back(fmt::format("{}: {} images are not in {}, and left out with their boxes",
                                         place_.annotations.string(), missing_, images_.string()));
    settle_string_ids(truth_, keys_, place_.annotations.string());
    left_out_.note(place_.annotations.string(), truth_.notes);
    return std::move(truth_);
  }

 private:
  void read_header(std::string_view line, const std::string& where) {
    const auto columns = csv_columns(line);
    for (size_t i = 0; i < columns.size(); ++i) header_.emplace(columns[i], i);
    for (const char* name : {"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"})
      if (!header_.contains(name)) bad_input("{}: no column {}, which Open Images has", where, name);
  }

  void read_box(const std::vector<std::string>& columns, const std::string& where) {
    if (columns.size() != header_.size()) bad_input("{}: {} columns, not {}", where, columns.size(), header_.size());
    const auto value = [&](const char* name) { return columns[header_.at(name)]; };
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
    annotation.is_crowd = header_.contains("IsGroupOf") && value("IsGroupOf") == "1";
    truth_.annotations.push_back(annotation);
  }

  /// The image's place; nothing where its file is not there, as in downloads of a part.
  std::optional<size_t> image_of(const std::string& id, const std::string& where) {
    if (id.empty() || id.find_first_of("/\\") != std::string::npos || id.starts_with('.'))
      bad_input("{}: '{}' is no id of an image", where, eval::printable(id));
    const auto [known, is_new] = places_.emplace(id, std::nullopt);
    if (!is_new) return known->second;
    for (const char* extension : {".jpg", ".jpeg", ".png"}) {
      const path file = images_ / (id + extension);
      if (!is_file(file)) continue;
      const vision::ImageSize size = upright_size(file);
      known->second = truth_.images.size();
      truth_.images.push_back({0, id + extension, size.width, size.height});
      keys_.push_back(id);
      return known->second;
    }
    ++missing_;
    return std::nullopt;
  }

  Location place_;
  path classes_, images_;
  eval::GroundTruth truth_;
  std::map<std::string, int64_t> categories_;  ///< by label
  std::map<std::string, size_t, std::less<>> header_;
  std::map<std::string, std::optional<size_t>> places_;
  std::vector<std::string> keys_;  ///< of truth_.images
  LeftOutBoxes left_out_;
  size_t missing_ = 0;
};

eval::GroundTruth read(const DataSource& data) { return BoxReader(data).read(); }

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
                                   .read = open_images::read};

}  // namespace effdet::dataset
