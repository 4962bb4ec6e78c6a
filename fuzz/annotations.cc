// Data sets of every format, and result files.
#include "dataset/format.h"
#include "effdet/dataset.h"
#include "effdet/open_images.h"
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

/// A picture where a data set looks for its images.
void put_picture(const std::filesystem::path& name, int width = 8, int height = 6) {
  vision::Image image(width, height);
  image.fill(0, 0, width, height, {90, 90, 90});
  const std::vector<std::byte> png = vision::encode_png(image);
  write_input(name, text_of(png));
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

/// The part before the first line "---" is the hierarchy of classes, the rest the labels of whole images.
void open_images_labels(Bytes input) {
  static const OpenImagesOptions options = [] {
    put_picture("labelled/validation/0000000000000001.png", 32, 32);  // smaller ones are not evaluated
    write_input("labelled/class-descriptions-boxable.csv", "/m/01,Person\n/m/02,Woman\n/m/03,Dog\n");
    write_input("labelled/validation-annotations-bbox.csv",
                "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,"
                "IsInside\n0000000000000001,x,/m/02,1,0.1,0.5,0.2,0.75,0,0,1,0,0\n");
    const std::filesystem::path folder = work_folder() / "labelled";
    return OpenImagesOptions{
        .data = folder,
        .results = write_input("labelled/results.json",
                               R"([{"image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3], "score": 0.5}])"),
        .hierarchy = folder / "hierarchy.json",
        .image_labels = folder / "labels.csv"};
  }();
  const auto [hierarchy, labels] = halves_of(input);
  write_input("labelled/hierarchy.json", hierarchy);
  write_input("labelled/labels.csv", labels);
  read([&] { evaluate_open_images(options, 1); });
}

}  // namespace effdet::fuzz
