// What every format of data sets must do.
#include <algorithm>
#include <map>
#include <set>

#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

TEST(Formats, AreWhole) {
  std::set<std::string_view> names;
  for (const Format* format : formats()) {
    EXPECT_TRUE(names.insert(format->name).second) << format->name;
    EXPECT_FALSE(format->layout.empty()) << format->name;
    EXPECT_TRUE(format->recognises && format->locate && format->read) << format->name;
    EXPECT_TRUE(contains(dataset_layouts(), format->layout));
  }
  EXPECT_TRUE(std::ranges::all_of(names, [](auto name) { return contains(dataset_formats(), name); }));
  EXPECT_NE(formats().front()->write, nullptr) << "synthetic data sets are written in it";
}

TEST(Formats, CocoReadsWhatItWrote) {  // all of them: convert_test.cc
  const TestFolder folder("dataset");
  const Format& format = *formats().front();
  EXPECT_FALSE(format.recognises(folder.path()));
  eval::GroundTruth truth;
  truth.images = {{1, "a.jpg", 64, 48}, {7, "b c.jpg", 40, 50}};
  truth.categories = {{3, "star"}, {4, "ring"}};
  truth.annotations = {
      {.id = 5, .image_id = 7, .category_id = 4, .bbox = {1.5, 2, 10, 20.25}, .area = 100.5, .is_crowd = true}};
  format.write(folder.path(), truth, {"two images", "shape"});
  EXPECT_EQ(&format_of(folder.path()), &format);
  const eval::GroundTruth read = format.read(folder.path());
  ASSERT_EQ(read.images.size(), 2u);
  EXPECT_EQ(read.images[1].file_name, "b c.jpg");
  EXPECT_EQ(read.images[1].width, 40);
  ASSERT_EQ(read.categories.size(), 2u);
  EXPECT_EQ(read.categories[1].name, "ring");
  ASSERT_EQ(read.annotations.size(), 1u);
  EXPECT_EQ(read.annotations[0].bbox, truth.annotations[0].bbox);
  EXPECT_EQ(read.annotations[0].area, 100.5);
  EXPECT_TRUE(read.annotations[0].is_crowd);
  EXPECT_EQ(read.annotations[0].image_id, 7);
}

/// Annotations of one image, with one category.
void write_small_coco(const fs::path& file, const std::string& image) {
  make_folder(file.parent_path());
  write_file(file, R"({"images": [{"id": 1, "file_name": ")" + image +
                       R"(", "width": 64, "height": 48}], "categories": [{"id": 1, "name": "a"}], "annotations": []})");
}

void write_small_image(const fs::path& file) { write_picture(file, 64, 48); }

struct Layout {
  const char *annotations, *image, *file_name;
  const char* split = "val";
};

TEST(CocoLayouts, FilesAndFoldersAreFound) {
  const Layout layouts[] = {
      {"annotations/instances_val2017.json", "val2017/x.png", "x.png"},
      {"annotations/instances_val2017.json", "images/val2017/x.png", "x.png"},
      {"annotations/instances_val2017.json", "val2017/x.png", "val2017/x.png"},
      {"annotations/instances_val.json", "images/val/x.png", "x.png"},
      {"annotations/instances_train2017.json", "train2017/x.png", "x.png", "train"},
      {"annotations/instances_night.json", "images/night/x.png", "x.png", "night"},
      {"annotations/night.json", "images/x.png", "x.png", "night"},
      {"valid/_annotations.coco.json", "valid/x.png", "x.png"},                         // Roboflow
      {"test/_annotations.coco.json", "test/x.png", "x.png", "test"},                   // Roboflow
      {"_annotations.coco.json", "x.png", "x.png"},                                     // Roboflow
      {"annotations/instances_default.json", "images/x.png", "x.png"},                  // CVAT
      {"annotations/instances_default.json", "images/default/x.png", "x.png"},          // CVAT
      {"annotations/instances_default.json", "images/default/sub/x.png", "sub/x.png"},  // CVAT
      {"annotations/instances_Validation.json", "images/Validation/x.png", "x.png"},    // CVAT
      {"annotations/instances_Train.json", "images/Train/x.png", "x.png", "train"},     // CVAT
      {"result.json", "images/x.png", "images/x.png"},                                  // Label Studio
      {"validation/labels.json", "validation/data/x.png", "x.png"},                     // FiftyOne
      {"labels.json", "data/x.png", "x.png"},                                           // FiftyOne
      {"annotations/person_keypoints_val2017.json", "val2017/x.png", "x.png"},          // COCO
      {"annotations/person_keypoints_default.json", "images/default/x.png", "x.png"},   // CVAT
  };
  for (const Layout& layout : layouts) {
    const TestFolder folder("dataset");
    write_small_coco(folder / layout.annotations, layout.file_name);
    write_small_image(folder / layout.image);
    DataSource data(folder.path());
    data.split = layout.split;
    EXPECT_TRUE(formats().front()->recognises(folder.path()) || data.split == "night") << layout.annotations;
    const Dataset source(data);
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << layout.annotations << ' ' << layout.image;
  }
}

TEST(CocoLayouts, ASplitIsTheOneThatWasAskedFor) {
  const TestFolder folder("dataset");
  for (const char* split : {"train", "valid", "test"})
    write_small_coco(folder / split / "_annotations.coco.json", std::string(split) + ".png");
  for (const auto& [split, image] : std::map<std::string, std::string>{
           {"val", "valid.png"}, {"validation", "valid.png"}, {"train", "train.png"}, {"test", "test.png"}}) {
    DataSource data(folder.path());
    data.split = split;
    EXPECT_EQ(Dataset(data).images().at(0)->file_name, image);
  }
  DataSource data(folder.path());
  data.split = "night";
  const Error error = error_of([&] { Dataset{data}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "'night'") && contains(error.what(), "--annotations FILE")) << error.what();
  EXPECT_FALSE(contains(error.what(), "--dataset")) << error.what();
  const TestFolder unknown("dataset");
  const Error other = error_of([&] { Dataset{unknown.path()}; });
  EXPECT_TRUE(contains(other.what(), "formats of data sets are coco, lvis, yolo, voc, openimages (--dataset)"))
      << other.what();
}

TEST(CocoLayouts, ImagesOfAFileThatWasNamedLieAroundIt) {
  for (const auto& [file, image] : {std::pair("annotations/instances_val2017.json", "val2017/x.png"),
                                    {"annotations/night.json", "images/night/x.png"},
                                    {"labels/my_set.json", "labels/set/x.png"},
                                    {"labels/mine.json", "labels/x.png"}}) {
    const TestFolder folder("dataset");
    write_small_coco(folder / file, "x.png");
    write_small_image(folder / image);
    DataSource data;
    data.annotations = folder / file;
    const Dataset source(data);
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << file;
  }
  DataSource none("no such folder");
  const Error error = error_of([&] { Dataset{none}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_FALSE(contains(error.what(), "--split")) << error.what();  // it would not help
}

/// FiftyOne and Label Studio can write them.
TEST(CocoLayouts, WholePathsIntoTheFolderOfImagesAreTaken) {
  const TestFolder folder("dataset");
  const fs::path image = fs::absolute(folder / "data/night/x.png");
  write_small_coco(folder / "labels.json", image.string());
  write_small_image(image);
  const Dataset source(folder.path());
  EXPECT_EQ(source.images().at(0)->file_name, "night/x.png");
  EXPECT_NO_THROW(source.open(*source.images()[0]));
  DataSource elsewhere(folder.path());
  elsewhere.images = folder / "data/other";
  const Dataset outside(elsewhere);
  EXPECT_TRUE(contains(bad_input_message([&] { outside.open(*outside.images().at(0)); }), "leads out of"));
}

/// As Label Studio writes them on Windows; but where a file is called so, it is that one.
TEST(CocoLayouts, NamesFromWindowsAreTaken) {
  const TestFolder folder("dataset");
  const fs::path root = folder / "root";
  const auto name = [&] { return Dataset(root).images().at(0)->file_name; };
  write_small_coco(root / "result.json", R"(images\\x.png)");
  write_small_image(root / "images/x.png");
  EXPECT_EQ(name(), "images/x.png");
  write_small_image(root / R"(images\x.png)");
  EXPECT_EQ(name(), R"(images\x.png)");
  write_small_coco(root / "result.json", R"(..\\x.png)");
  write_small_image(folder / "x.png");
  EXPECT_EQ(name(), R"(..\x.png)") << "nothing outside";
}

TEST(CocoLayouts, AnnotationsAndImagesMayLieAnywhere) {
  const TestFolder folder("dataset");
  write_small_coco(folder / "labels/mine.json", "x.png");
  write_small_image(folder / "pictures/x.png");
  DataSource data;
  data.annotations = folder / "labels/mine.json";
  data.images = folder / "pictures";
  const Dataset source(data);
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
  EXPECT_EQ(image_folder(data), folder / "pictures");
  data.images.clear();
  data.root = folder / "pictures";
  const Dataset below(data);
  EXPECT_NO_THROW(below.open(*below.images().at(0)));
}

TEST(Formats, AreChosenByName) {
  const TestFolder folder("dataset");
  DataSource data(small_data_set(folder, 1));
  for (const char* name : {"coco", "coco2017", "COCO"}) {
    data.format = name;
    EXPECT_EQ(format_of(data).name, "coco");
  }
  data.format = "2017";
  EXPECT_TRUE(contains(error_of([&] { Dataset{data}; }).what(), "'2017' is no format of data sets"));
  data.format = "cocoa";
  const Error error = error_of([&] { Dataset{data}; });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_TRUE(contains(error.what(), "'cocoa' is no format of data sets; there are coco")) << error.what();
}

}  // namespace
}  // namespace effdet::dataset
