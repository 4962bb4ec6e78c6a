// Open Images' rules on its own files: groups, image-level labels, the hierarchy.
#include "effdet/open_images.h"

#include <cstring>

#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

/// A car in each of two images of 100 x 100, the first one a group.
OpenImagesOptions small_open_images(const TestFolder& folder) {
  make_folder(folder / "validation");
  for (const char* id : {"a1", "b2"})
    write_file(folder / "validation" / (std::string(id) + ".jpg"), vision::encode_png(vision::Image(100, 100)));
  write_file(folder / "class-descriptions-boxable.csv", "/m/car,Car\n/m/vehicle,Vehicle\n/m/cat,Cat\n");
  write_file(folder / "validation-annotations-bbox.csv",
             "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na1,/m/car,0,1,0,1,1\nb2,/m/car,0,0.5,0,0.5,0\n");
  write_file(folder / "bbox_labels_600_hierarchy.json",
             R"({"LabelName": "/m/0", "Subcategory": [{"LabelName": "/m/vehicle", "Subcategory":
                 [{"LabelName": "/m/car"}]}, {"LabelName": "/m/cat"}]})");
  write_file(folder / "validation-annotations-human-imagelabels-boxable.csv",
             "ImageID,Source,LabelName,Confidence\na1,v,/m/cat,0\nzz,v,/m/cat,1\na1,v,/m/other,1\n");
  write_file(folder / "dt.json",
             R"([{"image_id": "a1", "category_id": 1, "bbox": [0, 0, 30, 30], "score": 0.9},
                 {"image_id": "a1", "category_id": 1, "bbox": [50, 50, 30, 30], "score": 0.8},
                 {"image_id": "b2", "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.7},
                 {"image_id": "b2", "category_id": 2, "bbox": [0, 0, 50, 50], "score": 0.6},
                 {"image_id": "a1", "category_id": 3, "bbox": [0, 0, 50, 50], "score": 0.6},
                 {"image_id": "b2", "category_id": 3, "bbox": [0, 0, 50, 50], "score": 0.6}])");
  return {.data = DataSource(folder.path()), .results = folder / "dt.json"};
}

TEST(OpenImagesRules, GroupsLabelsAndHierarchy) {
  const TestFolder folder("openimages");
  const OpenImagesReport report = evaluate_open_images(small_open_images(folder));
  ASSERT_EQ(report.categories.size(), 3u);
  EXPECT_EQ(report.categories[0].ap, 1);    // the group is found twice, and counts once
  EXPECT_EQ(report.categories[1].ap, 0.5);  // both cars are vehicles; one is found
  EXPECT_EQ(report.categories[2].ap, -1);
  EXPECT_EQ(report.categories[2].detections, 1u);  // nobody looked for cats in the other image
  EXPECT_EQ(report.mean_ap, 0.75);
  EXPECT_TRUE(report.notes.empty()) << report.notes[0];
  for (const char* file : {"bbox_labels_600_hierarchy.json", "validation-annotations-human-imagelabels-boxable.csv"})
    fs::remove(folder / file);
  const OpenImagesReport less =
      evaluate_open_images({.data = DataSource(folder.path()), .results = folder / "dt.json"});
  EXPECT_EQ(less.categories[1].ap, -1);
  EXPECT_EQ(less.notes.size(), 2u);
}

/// A label that says yes is one of all above it, one that says no is one of all below it: what is found of these
/// counts. Labels that are no classes stand between others in the hierarchy, and a class is not above itself.
TEST(OpenImagesRules, LabelsSpeakForTheClassesAroundThem) {
  const TestFolder folder("openimages");
  OpenImagesOptions options = small_open_images(folder);
  write_file(folder / "bbox_labels_600_hierarchy.json",
             R"({"LabelName": "/m/0", "Subcategory": [{"LabelName": "/m/vehicle", "Subcategory": [{"LabelName":
                 "/m/none", "Subcategory": [{"LabelName": "/m/car", "Subcategory": [{"LabelName": "/m/car"}]}]}]}]})");
  write_file(folder / "dt.json", R"([{"image_id": "b2", "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.7},
                                     {"image_id": "b2", "category_id": 2, "bbox": [0, 0, 50, 50], "score": 0.7}])");
  const auto counted = [&](std::string_view labels) {  // of cars and vehicles
    write_file(folder / "validation-annotations-bbox.csv",
               "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na1,/m/cat,0,1,0,1,0\nb2,/m/cat,0,1,0,1,0\n");
    write_file(folder / "labels.csv", fmt::format("ImageID,LabelName,Confidence\n{}", labels));
    options.image_labels = folder / "labels.csv";
    const OpenImagesReport report = evaluate_open_images(options, 1);
    return std::pair(report.categories.at(0).detections, report.categories.at(1).detections);
  };
  EXPECT_EQ(counted("b2,/m/cat,1\n"), std::pair(size_t{0}, size_t{0}));      // nobody looked for cars
  EXPECT_EQ(counted("b2,/m/car,1\n"), std::pair(size_t{1}, size_t{1}));      // a car is a vehicle
  EXPECT_EQ(counted("b2,/m/vehicle,1\n"), std::pair(size_t{0}, size_t{1}));  // some vehicle
  EXPECT_EQ(counted("b2,/m/vehicle,0\n"), std::pair(size_t{1}, size_t{1}));  // no vehicle, and so no car
  EXPECT_EQ(counted("b2,/m/car,0\n"), std::pair(size_t{1}, size_t{0}));
}

/// Of a data set that was converted, whose ids are numbers.
TEST(OpenImagesRules, FindLabelsOfNumberedImages) {
  const TestFolder folder("openimages");
  const OpenImagesOptions options = small_open_images(folder);
  const auto rename = [&](const char* name) {
    std::string text = read_file(folder / name);
    for (const auto& [from, to] : {std::pair("a1", "01"), {"b2", "02"}, {"\"01\"", "1"}, {"\"02\"", "2"}})
      for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;) text.replace(at, std::strlen(from), to);
    write_file(folder / name, text);
  };
  for (const char* name :
       {"validation-annotations-bbox.csv", "validation-annotations-human-imagelabels-boxable.csv", "dt.json"})
    rename(name);
  fs::rename(folder / "validation/a1.jpg", folder / "validation/01.jpg");
  fs::rename(folder / "validation/b2.jpg", folder / "validation/02.jpg");
  const OpenImagesReport report = evaluate_open_images(options);
  EXPECT_EQ(report.mean_ap, 0.75);
  EXPECT_EQ(report.categories[2].detections, 1u);  // nobody looked for cats in the other image
}

TEST(BadInput, OpenImagesLabelsAndHierarchiesThatMakeNoSense) {
  const TestFolder folder("openimages");
  OpenImagesOptions options = small_open_images(folder);
  const auto refused = [&](fs::path OpenImagesOptions::*file, std::string_view text, std::string_view message) {
    OpenImagesOptions changed = options;
    changed.*file = folder / "bad";
    write_file(folder / "bad", text);
    const std::string found = bad_input_message([&] { evaluate_open_images(changed); });
    EXPECT_TRUE(contains(found, message)) << found;
  };
  refused(&OpenImagesOptions::hierarchy, "[", "bad: no JSON object");
  refused(&OpenImagesOptions::hierarchy, R"({"Subcategory": [{}]})", "bad: a Subcategory without LabelName");
  for (const char* child : {"1", "[]", "{}", R"({"LabelName": 1})"})
    refused(&OpenImagesOptions::hierarchy, fmt::format(R"({{"Subcategory": [{}]}})", child),
            "bad: a Subcategory without LabelName");
  refused(&OpenImagesOptions::hierarchy, R"({"Subcategory": {}})", "bad: a Subcategory is no list");
  const auto nested = [](int levels) {
    std::string tree = "{}";
    for (int i = 0; i < levels; ++i) tree = R"({"LabelName": "/m/cat", "Subcategory": [)" + tree + "]}";
    return tree;
  };
  refused(&OpenImagesOptions::hierarchy, nested(66), "bad: more than 64 levels");
  refused(&OpenImagesOptions::hierarchy, nested(64), "without LabelName");  // the innermost one
  refused(&OpenImagesOptions::image_labels, "ImageID,LabelName\n", "bad:1: no column Confidence");
  refused(&OpenImagesOptions::image_labels, "ImageID,LabelName,ImageID,Confidence\n",
          "bad:1: column 'ImageID' occurs twice");
  refused(&OpenImagesOptions::image_labels, "ImageID,LabelName,Confidence\na1,/m/cat\n", "bad:2: 2 columns, not 3");
  refused(&OpenImagesOptions::image_labels, "ImageID,LabelName,Confidence\na1,/m/cat,0.7\n",
          "bad:2: Confidence 0.7 is neither 0 nor 1");
}

}  // namespace
}  // namespace effdet::dataset
