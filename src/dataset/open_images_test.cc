// Open Images' CSV files, and those that are refused.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

constexpr std::string_view kOpenImagesHeader =
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n";

void write_open_images(const TestFolder& folder, std::string_view boxes) {
  make_folder(folder / "validation");
  for (const char* id : {"0001eeaf4aed83f9", "000595fe6fee6369"})
    write_file(folder / "validation" / (std::string(id) + ".jpg"), vision::encode_png(vision::Image(200, 100)));
  write_file(folder / "class-descriptions-boxable.csv", "/m/011k07,Tortoise\n/m/01,\"Saucer, \"\"flying\"\"\"\n");
  write_file(folder / "validation-annotations-bbox.csv", fmt::format("{}{}", kOpenImagesHeader, boxes));
}

TEST(OpenImages, BoxesArePartsAndGroupsAreCrowds) {
  const TestFolder folder("openimages");
  write_open_images(folder,
                    "000595fe6fee6369,xclick,/m/01,1,0.25,0.5,0.1,0.2,0,0,1,0,0\r\n"
                    "0001eeaf4aed83f9,xclick,/m/011k07,1,0,1,0,1,0,0,0,0,0\n"
                    "00gone,xclick,/m/011k07,1,0,1,0,1,0,0,0,0,0\n");
  EXPECT_EQ(format_of(folder.path()).name, "openimages");
  const Dataset source(folder.path());
  const eval::GroundTruth& truth = source.truth();
  ASSERT_EQ(truth.annotations.size(), 2u);
  EXPECT_EQ(truth.annotations[0].bbox, (std::array<double, 4>{50, 10, 50, 10}));
  EXPECT_TRUE(truth.annotations[0].is_crowd);
  EXPECT_EQ(truth.annotations[1].category_id, 1);
  EXPECT_EQ(truth.categories.at(1).name, "Saucer, \"flying\"");
  EXPECT_EQ(truth.image_ids.json_of(source.images().at(0)->id), "\"0001eeaf4aed83f9\"");
  EXPECT_NO_THROW(source.open(*source.images()[0]));
  EXPECT_TRUE(contains(source.notes().at(0), "1 images are not in "));
}

/// Ids of 16 characters are those of published images; shorter numbers are ids of a converted data set.
TEST(OpenImages, IdsAreStringsOrNumbers) {
  const auto id_of = [](const std::string& name) {
    const TestFolder folder("openimages");
    write_open_images(folder, name + ",x,/m/01,1,0,1,0,1,0,0,0,0,0\n");
    write_file(folder / "validation" / (name + ".JPG"), vision::encode_png(vision::Image(64, 48)));
    const Dataset source(folder.path());
    return source.truth().image_ids.json_of(source.images().at(0)->id);
  };
  EXPECT_EQ(id_of("000000000139"), "139");
  EXPECT_EQ(id_of("0001237000123456"), "\"0001237000123456\"");
  EXPECT_EQ(id_of("x1"), "\"x1\"");
}

TEST(OpenImages, ListedImagesCountWithoutBoxes) {
  const TestFolder folder("openimages");
  write_open_images(folder, "000595fe6fee6369,x,/m/01,1,0,1,0,1,0,0,0,0,0\n");
  write_file(
      folder / "validation-images-with-rotation.csv",
      "Subset,ImageID,Rotation\nvalidation,000595fe6fee6369,0\nvalidation,0001eeaf4aed83f9,\nvalidation,gone,\n");
  const Dataset source(folder.path());
  EXPECT_EQ(source.images().size(), 2u);
  EXPECT_TRUE(source.notes().empty()) << source.notes()[0];  // the list is of the whole split
  for (const auto& [text, message] : {std::pair("Image\n", "rotation.csv:1: no column ImageID"),
                                      {"Subset,ImageID\nx\n", "rotation.csv:2: 1 columns, and no ImageID"},
                                      {"ImageID\n../x\n", "rotation.csv:2: '../x' is no id of an image"}}) {
    write_file(folder / "validation-images-with-rotation.csv", text);
    const std::string found = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(found, message)) << found;
  }
}

TEST(OpenImages, WritesWhatItReads) {
  const TestFolder folder("openimages");
  write_open_images(folder, "");
  eval::GroundTruth truth;
  truth.images = {{1, "0001eeaf4aed83f9.jpg", 200, 100}, {2, "000595fe6fee6369.jpg", 200, 100}};
  truth.image_index = {{1, 0}, {2, 1}};
  truth.categories = {{90, "cat"}, {7, "dog, \"big\" "}, {95, " x"}, {96, "y "}, {97, "a\tb"}, {98, "a b"}};
  truth.annotations = {
      {.id = 5, .image_id = 2, .category_id = 90, .bbox = {1.0 / 3, 0.1, 10.7, 20.123456789}, .is_crowd = true},
      {.id = 6, .image_id = 2, .category_id = 7, .bbox = {0, 0, 200.0000001, 1e-3}}};
  const Format& format = format_of(folder.path());
  format.write(folder.path(), truth, {});
  const eval::GroundTruth read = format.read(folder.path());
  ASSERT_EQ(read.images.size(), 2u);
  EXPECT_EQ(read.images[1].file_name, "0001eeaf4aed83f9.jpg");  // without a box
  std::vector<std::string> names;
  for (const eval::Category& category : read.categories) names.push_back(category.name);
  EXPECT_EQ(names, (std::vector<std::string>{"dog, \"big\" ", "cat", " x", "y ", "a\tb", "a b"}));
  ASSERT_EQ(read.annotations.size(), 2u);
  EXPECT_TRUE(read.annotations[0].is_crowd);
  EXPECT_FALSE(read.annotations[1].is_crowd);
  EXPECT_EQ(read.annotations[0].category_id, 2);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(read.annotations[0].bbox[i], truth.annotations[0].bbox[i], 1e-9);
  EXPECT_EQ(read.annotations[0].bbox[3], 20.123456789);
  EXPECT_EQ(read.annotations[1].bbox, (std::array<double, 4>{0, 0, 200, 1e-3}));
  const std::string text = read_file(folder / "validation-annotations-bbox.csv");
  EXPECT_TRUE(contains(text, "\n000595fe6fee6369,effdet,/category/2,1,")) << text;
  EXPECT_TRUE(contains(text, ",-1,-1,1,-1,-1\n")) << text;
}

/// FiftyOne's download: a folder for each split, with the classes in a folder of their own.
TEST(OpenImages, FoldersOfFiftyOneAreFound) {
  for (const char* base : {"validation", "."}) {
    const TestFolder folder("openimages");
    for (const char* part : {"data", "labels", "metadata"}) make_folder(folder / base / part);
    write_file(folder / base / "data/a1.jpg", vision::encode_png(vision::Image(200, 100)));
    write_file(folder / base / "labels/detections.csv",
               "ImageID,LabelName,XMin,XMax,YMin,YMax\na1,/m/01,0.25,0.5,0.1,0.2\n");
    write_file(folder / base / "metadata/classes.csv", "LabelName,DisplayName\n/m/01,Cat\n");
    EXPECT_EQ(format_of(folder.path()).name, "openimages") << base;
    const Dataset source(folder.path());
    EXPECT_EQ(source.truth().annotations.at(0).bbox, (std::array<double, 4>{50, 10, 50, 10}));
    EXPECT_FALSE(source.truth().annotations[0].is_crowd) << "there is no column of groups";
    ASSERT_EQ(source.truth().categories.size(), 1u);  // without the heading
    EXPECT_EQ(source.truth().categories[0].name, "Cat");
    EXPECT_NO_THROW(source.open(*source.images().at(0)));
  }
}

TEST(OpenImages, ImagesMayLieElsewhere) {
  const TestFolder folder("openimages");
  write_open_images(folder, "0001eeaf4aed83f9,x,/m/01,1,0,1,0,1,0,0,0,0,0\n");
  fs::rename(folder / "validation", folder / "pictures");
  DataSource data(folder.path());
  data.images = folder / "pictures";
  const Dataset source(data);
  EXPECT_NO_THROW(source.open(*source.images().at(0)));
  data.root = folder / "pictures";  // where no file is
  data.format = "openimages";
  EXPECT_EQ(error_of([&] { Dataset{data}; }).code(), ErrorCode::kIo);
}

TEST(OpenImages, BoxesThatMakeNoSenseAreLeftOutWithANote) {
  const TestFolder folder("openimages");
  write_open_images(
      folder, "0001eeaf4aed83f9,x,/m/01,1,0,1,0.6,0.5,0,0,0,0,0\n0001eeaf4aed83f9,x,/m/01,1,0.6,0.5,0,1,0,0,0,0,0\n");
  std::vector<std::string> notes = Dataset(folder.path()).notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "2 boxes left out: the corners are exchanged") && contains(notes[0], "bbox.csv:2"))
      << notes[0];
  write_open_images(folder, "0001eeaf4aed83f9,x,/m/01,1,0,1,0,1,0,0,0,0,0\n");
  write_file(folder / "validation/0001eeaf4aed83f9.jpg", "no picture");
  notes = Dataset(folder.path()).notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "1 boxes left out: the size of the image cannot be read")) << notes[0];
}

TEST(OpenImages, ClassesMustBeNamedOnceEach) {
  const TestFolder folder("openimages");
  write_open_images(folder, "");
  const fs::path classes = folder / "class-descriptions-boxable.csv";
  for (const auto& [text, message] : {std::pair("/m/01,Cat\n/m/01,Dog\n", "boxable.csv:2: class '/m/01' occurs twice"),
                                      {"/m/01\n", "boxable.csv:1: no label and name of a class"}}) {
    write_file(classes, std::string_view(text));
    const std::string found = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(found, message)) << found;
  }
  fs::remove(classes);
  const Error error = error_of([&] { Dataset{folder.path()}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "class-descriptions-boxable.csv: no such file, which names the classes"))
      << error.what();
}

TEST(BadInput, AnOpenImagesFileWithoutAnyLineIsRefused) {
  const TestFolder folder("openimages");
  write_open_images(folder, "");
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (entry.path().string().ends_with("bbox.csv")) write_file(entry.path(), std::string("\n"));
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }), "bbox.csv: it is empty"));
}

TEST(BadInput, OpenImagesAreRefusedWithFileAndLine) {
  const auto refused = [](std::string_view boxes, std::string_view message) {
    const TestFolder folder("openimages");
    write_open_images(folder, boxes);
    const std::string found = bad_input_message([&] { Dataset{folder.path()}; });
    EXPECT_TRUE(contains(found, "bbox.csv:2: ") && contains(found, message)) << found;
  };
  refused("000595fe6fee6369,x,/m/02,1,0,1,0,1,0,0,0,0,0\n", "class '/m/02' is none of ");
  refused("000595fe6fee6369,x,/m/01,1,0,1.5,0,1,0,0,0,0,0\n", "XMax 1.5 is not between 0 and 1");
  refused("000595fe6fee6369,x,/m/01,1,0,nan,0,1,0,0,0,0,0\n", "XMax 'nan' is no number");
  refused("000595fe6fee6369,x,/m/01\n", "3 columns, not 13");
  refused("000595fe6fee6369,x,/m/01,1,-0.1,1,0,1,0,0,0,0,0\n", "XMin -0.1 is not between 0 and 1");
  for (const char* id : {"../../x", "a\\b", ".a", ""})
    refused(fmt::format("{},x,/m/01,1,0,1,0,1,0,0,0,0,0\n", id), fmt::format("'{}' is no id of an image", id));
  const TestFolder folder("openimages");
  write_open_images(folder, "");
  write_file(folder / "validation-annotations-bbox.csv", "ImageID,LabelName,XMin,YMin,YMax\n");
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }),
                       "bbox.csv:1: no column XMax, which boxes of Open Images have"));
}

TEST(BadInput, OpenImagesColumnsThatOccurTwice) {
  const std::string header = "ImageID,LabelName,XMin,XMax,YMin,YMax", row = "000595fe6fee6369,/m/01,0,1,0,1";
  const TestFolder folder("openimages");
  write_open_images(folder, "");
  const auto read = [&](const std::string& text) {
    write_file(folder / "validation-annotations-bbox.csv", text);
    return Dataset(folder.path()).truth().annotations.size();
  };
  // As many names as the line has columns, though of fewer kinds.
  EXPECT_TRUE(contains(bad_input_message([&] { read("ImageID,ImageID,LabelName,XMin,XMax,YMin,YMax\n" + row + "\n"); }),
                       "bbox.csv:1: column 'ImageID' occurs twice"));
  EXPECT_EQ(read(",,," + header + "\n1,,x," + row + "\n"), 1u);  // columns without a name
  EXPECT_TRUE(
      contains(bad_input_message([&] { read(",,," + header + "\n" + row + "\n"); }), "bbox.csv:2: 6 columns, not 9"));
}

}  // namespace
}  // namespace effdet::dataset
