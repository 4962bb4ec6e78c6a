// Label files of YOLO: a line is "class x y width height", the box's centre and size as parts of the upright image's
// sides, or "class x1 y1 x2 y2 x3 y3 ...", a polygon, whose box counts. Class 0 becomes category 1, as effdet counts.
#include "dataset/formats/yolo_labels.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "dataset/formats/records.h"
#include "eval/coco_json.h"

namespace effdet::dataset::yolo {
namespace {

using std::filesystem::path;

/// What a number may lie beyond 0 and 1: as much as Ultralytics takes.
constexpr double kBeyond = 0.01;

/// Reads the labels of all images.
class LabelReader {
 public:
  explicit LabelReader(const Description& description) : description_(description) {}

  void read(const path& file, vision::ImageSize size, int64_t image) {
    std::set<std::vector<float>> seen;  // Ultralytics compares float32, and counts a line that comes twice once
    for_each_line(file, [&](std::string_view line, const std::string& where) {
      if (size.width == 0) return left_out_.add("the size of the image cannot be read", where);
      const Label label = parse(line, where);
      if (description_.drops_repeats && !seen.insert(label.as_floats()).second)
        return left_out_.add("the same as a line before it", where);
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
    if (!is_whole_number(label, 0, static_cast<double>(description_.classes.size()) - 1))
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

/// Lists name images with their folders, which are no part of a number: without them where the names are unique.
std::vector<std::string> image_keys(const eval::GroundTruth& truth) {
  std::vector<std::string> keys, stems;
  for (const eval::ImageRecord& image : truth.images) {
    keys.push_back(path(image.file_name).replace_extension().string());
    stems.push_back(path(image.file_name).stem().string());
  }
  std::vector<std::string> sorted = stems;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end() ? stems : keys;
}

}  // namespace

bool exists_below(const path& root, const path& name) { return is_file(root / name) || is_folder(root / name); }

path only_file(const path& folder, std::initializer_list<std::string_view> extensions) {
  path only;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (std::ranges::find(extensions, entry.path().extension().string()) == extensions.end()) continue;
    if (!is_file(entry.path())) continue;
    if (!only.empty()) return {};
    only = entry.path();
  }
  return only;
}

std::vector<std::string> read_names(const path& file) {
  std::vector<std::string> names;
  for_each_line(file, [&](std::string_view line, const std::string&) { names.emplace_back(line); });
  if (names.empty()) bad_input("{}: no class, of which each line should name one", file.string());
  return names;
}

path image_below_root(const path& root, const path& name, const std::string& where) {
  if (std::optional<path> image = below(root, name)) return *std::move(image);
  bad_input("{}: '{}' leads out of the data set", where, eval::printable(name.string()));
}

path labels_beside_images(const path& image, std::string_view folder) {
  std::vector<path> parts(image.begin(), image.end());
  const auto last = std::find(parts.rbegin(), parts.rend(), path(folder));
  if (last != parts.rend()) *last = "labels";
  path labels;
  for (const path& part : parts) labels /= part;
  return labels.replace_extension(".txt");
}

void refuse_split(const DataSource& data, const path& file, std::span<const std::string> others) {
  std::string choice;
  for (const std::string& other : others) choice += (choice.empty() ? ": " : ", ") + eval::printable(other);
  fail(ErrorCode::kIo, "{}: it has no split '{}'; choose one that it has (--split){}", file.string(),
       eval::printable(data.split), choice);
}

eval::GroundTruth read_labels(const DataSource& data, const Description& description, std::span<const path> images) {
  eval::GroundTruth truth;
  for (size_t i = 0; i < description.classes.size(); ++i)
    truth.categories.push_back({static_cast<int64_t>(i) + 1, description.classes[i]});
  LabelReader labels(description);
  bool has_labels = false;
  for (const path& image : images) {
    const path name = description.folder.empty() ? image : image.lexically_relative(description.folder);
    const vision::ImageSize size = upright_size(data.images.empty() ? data.root / image : data.images / name);
    const path file = data.root / description.labels_of(data.root, image);
    if (is_file(file)) {
      labels.read(file, size, static_cast<int64_t>(truth.images.size()));
      has_labels = true;
    }
    truth.images.push_back({0, name.string(), size.width, size.height});
  }
  labels.give(truth);
  if (!has_labels && !images.empty())
    truth.notes.push_back(fmt::format(
        "{}: none of {} images has a file of labels, as {} would be", description.file.string(), images.size(),
        eval::printable((data.root / description.labels_of(data.root, images.front())).string())));
  settle_image_ids(truth, image_keys(truth), description.file.string());
  return truth;
}

}  // namespace effdet::dataset::yolo
