// Data sets of every format, and result files.
#include <algorithm>
#include <utility>

#include "dataset/format.h"
#include "effdet/dataset.h"
#include "eval/coco_dataset.h"
#include "eval/coco_results.h"
#include "input_file.h"
#include "targets.h"
#include "vision/encode.h"

namespace effdet::fuzz {
namespace {

void read_folder(const char* folder, const char* format) {
  read([&] {
    DataSource data(work_folder() / folder);
    data.format = format;
    dataset::format_of(data).read(data);
  });
}

/// A picture of 8 x 6 pixels where a data set looks for its images.
void put_picture(const std::filesystem::path& name) {
  vision::Image image(8, 6);
  image.fill(0, 0, 8, 6, {90, 90, 90});
  const std::vector<std::byte> png = vision::encode_png(image);
  write_input(name, text_of(png));
}

/// What stands before and after the first line "---": two files.
std::pair<std::string_view, std::string_view> halves_of(Bytes input) {
  constexpr std::string_view kBorder = "---\n";
  const std::string_view text = text_of(input);
  const size_t border = std::min(text.find(kBorder), text.size());
  return {text.substr(0, border), text.substr(std::min(border + kBorder.size(), text.size()))};
}

/// A data set of two images and two categories, that results are of.
const eval::GroundTruth& small_dataset() {
  static const eval::GroundTruth dataset = eval::parse_coco_dataset(
      R"({"images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
          "annotations": [{"id": 5, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
          "categories": [{"id": 3, "name": "a"}, {"id": 7, "name": "b"}]})",
      "small.json");
  return dataset;
}

}  // namespace

void coco_annotations(Bytes input) {
  for (const auto rules : {eval::Rules::kCoco, eval::Rules::kLvis})
    for (const auto bad_records : {eval::BadRecords::kLeaveOut, eval::BadRecords::kRefuse})
      read([&] { eval::parse_coco_dataset(text_of(input), "input.json", bad_records, nullptr, rules); });
}

void coco_results(Bytes input) {
  for (const auto bad_records : {eval::BadRecords::kLeaveOut, eval::BadRecords::kRefuse})
    read([&] { eval::parse_coco_results(text_of(input), "input.json", small_dataset(), bad_records); });
}

void voc(Bytes input) {
  write_input("voc/Annotations/1.xml", text_of(input));
  read_folder("voc", "voc");
}

void yolo_data(Bytes input) {
  static const bool once = (put_picture("yolo_data/images/val/1.png"), true);
  static_cast<void>(once);
  write_input("yolo_data/data.yaml", text_of(input));
  read_folder("yolo_data", "yolo");
}

void yolo_labels(Bytes input) {
  static const bool once = (put_picture("yolo_labels/images/val/1.png"),
                            write_input("yolo_labels/data.yaml", "val: images/val\nnames: [a, b]\n"), true);
  static_cast<void>(once);
  write_input("yolo_labels/labels/val/1.txt", text_of(input));
  read_folder("yolo_labels", "yolo");
}

/// The part before the first line "---" is obj.data, the rest the list of images.
void darknet(Bytes input) {
  static const bool once =
      (put_picture("darknet/obj_valid_data/1.png"), write_input("darknet/obj_valid_data/1.txt", "1 0.5 0.5 0.25 0.5\n"),
       write_input("darknet/obj.names", "a\nb\n"), true);
  static_cast<void>(once);
  const auto [description, list] = halves_of(input);
  write_input("darknet/obj.data", description);
  write_input("darknet/valid.txt", list);
  read_folder("darknet", "yolo");
}

/// The part before the first line "---" names the classes, the rest has the boxes.
void open_images(Bytes input) {
  static const bool once = (put_picture("open_images/validation/0000000000000001.png"), true);
  static_cast<void>(once);
  const auto [classes, boxes] = halves_of(input);
  write_input("open_images/class-descriptions-boxable.csv", classes);
  write_input("open_images/validation-annotations-bbox.csv", boxes);
  read_folder("open_images", "openimages");
}

}  // namespace effdet::fuzz
