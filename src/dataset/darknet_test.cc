// Darknet's obj.data, as CVAT and Datumaro write it and as Darknet's own tutorials have it.
#include "dataset/dataset.h"
#include "dataset/format.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

/// What Datumaro writes: an image of 200 x 100 pixels in each of two splits.
void write_export(const fs::path& root) {
  write_at(root / "obj.data",
           "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n");
  write_at(root / "obj.names", "cat\nbig dog\n");
  for (const char* split : {"train", "valid"}) {
    const std::string folder = fmt::format("obj_{}_data", split);
    write_at(root / fmt::format("{}.txt", split), fmt::format("data/{}/night/000042.png\n", folder));
    write_picture(root / folder / "night/000042.png", 200, 100);
    write_at(root / folder / "night/000042.txt", "1 0.500000 0.500000 0.250000 0.500000\n");
  }
}

std::string refusal_of(const fs::path& root) {
  return bad_input_message([&] { Dataset{root}; });
}

TEST(Darknet, ReadsWhatDatumaroWrites) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  EXPECT_EQ(format_of(folder.path()).name, "yolo");
  const Dataset source(folder.path());
  const eval::GroundTruth& truth = source.truth();
  ASSERT_EQ(truth.annotations.size(), 1u);
  EXPECT_EQ(truth.annotations[0].bbox, (std::array<double, 4>{75, 25, 50, 50}));
  EXPECT_EQ(truth.annotations[0].image_id, 42);
  EXPECT_EQ(truth.annotations[0].category_id, 2);
  EXPECT_EQ(truth.categories.at(1).name, "big dog");
  EXPECT_EQ(source.images().at(0)->file_name, "night/000042.png") << "without obj_valid_data/, as in Datumaro";
  EXPECT_NO_THROW(source.open(*source.images()[0]));
  EXPECT_EQ(image_folder(folder.path()), folder / "obj_valid_data");
}

TEST(Darknet, PathsAreThoseOfTheFolderThatDarknetWasStartedIn) {
  const auto reads = [](const char* description, const char* values, const char* names, const char* list,
                        const std::string& line, const char* image, const char* labels) {
    const TestFolder folder("darknet");
    write_at(folder / description, values);
    write_at(folder / names, "a\nb\n");
    write_at(folder / list, line.starts_with('/') ? fs::absolute(folder.path()).string() + line : line);
    write_picture(folder / image, 200, 100);
    write_at(folder / labels, "1 0.5 0.5 0.25 0.5\n");
    const Dataset source(folder.path());
    EXPECT_EQ(source.truth().annotations.size(), 1u) << line;
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << line;
  };
  const char* cvat = "valid = valid.txt\nnames = obj.names\n";
  reads("obj.data", cvat, "obj.names", "valid.txt", "obj_valid_data/x.png\n", "obj_valid_data/x.png",
        "obj_valid_data/x.txt");
  const char* usual = "valid=data/valid.txt\r\n\r\n# names\r\nnames=data/obj.names\r\n";
  reads("data/obj.data", usual, "data/obj.names", "data/valid.txt", "data/obj/x.png\r\n", "data/obj/x.png",
        "data/obj/x.txt");
  reads("obj.data", usual, "obj.names", "valid.txt", "data\\obj\\x.png\r\n", "obj/x.png", "obj/x.txt");
  reads("obj.data", usual, "obj.names", "valid.txt", "x.png\n", "x.png", "x.txt");
  reads("obj.data", usual, "obj.names", "valid.txt", "/images/x.png\n", "images/x.png", "labels/x.txt");
  reads("obj.data", usual, "obj.names", "valid.txt", "images/x.png\n", "images/x.png", "images/x.txt");
  reads("obj.data", usual, "obj.names", "valid.txt", "./JPEGImages/x.png\n", "JPEGImages/x.png", "labels/x.txt");
}

TEST(Darknet, AnotherNameIsTakenWhereItIsTheOnlyOne) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  fs::rename(folder / "obj.data", folder / "mine.data");
  EXPECT_EQ(format_of(folder.path()).name, "coco");
  DataSource data(folder.path());
  data.format = "yolo";
  EXPECT_EQ(Dataset(data).truth().annotations.size(), 1u);
}

TEST(Darknet, CvatsSplitsHaveACapital) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  write_at(folder / "obj.data", "Train = train.txt\nValidation = valid.txt\nnames = obj.names\n");
  EXPECT_EQ(Dataset(folder.path()).images().size(), 1u);
  DataSource data(folder.path());
  data.split = "Train";
  EXPECT_EQ(Dataset(data).images().size(), 1u);
}

TEST(Darknet, SplitsHaveAnyNameButThoseOfTheFilesThemselves) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  write_at(folder / "obj.data", "train = train.txt\nnight_shift = valid.txt\nnames = obj.names\nbackup = backup/\n");
  DataSource data(folder.path());
  data.split = "night_shift";
  EXPECT_EQ(Dataset(data).images().size(), 1u);
  for (const char* split : {"val", "backup", "names"}) {
    data.split = split;
    const Error error = error_of([&] { Dataset{data}; });
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_TRUE(contains(error.what(), fmt::format("obj.data: it has no split '{}'; choose one that it has (--split): "
                                                   "night_shift, train",
                                                   split)))
        << error.what();
  }
}

/// Datumaro and Darknet count a line as often as it is there; Ultralytics once.
TEST(Darknet, ALineThatComesTwiceCountsTwice) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  write_at(folder / "obj_valid_data/night/000042.txt", "0 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.25 0.5\n");
  EXPECT_EQ(Dataset(folder.path()).truth().annotations.size(), 2u);
}

/// CVAT exports labels alone, unless asked for images.
TEST(Darknet, ImagesMayLieElsewhere) {
  const TestFolder folder("darknet"), pictures("darknet");
  write_export(folder.path());
  fs::rename(folder / "obj_valid_data/night/000042.png", pictures / "000042.png");
  write_at(folder / "valid.txt", "data/obj_valid_data/000042.png\n");
  write_at(folder / "obj_valid_data/000042.txt", "0 0.5 0.5 0.25 0.5\n");
  DataSource data(folder.path());
  data.images = pictures.path();
  EXPECT_EQ(Dataset(data).truth().annotations.at(0).bbox, (std::array<double, 4>{75, 25, 50, 50}));
}

TEST(BadInput, DarknetDescriptionsAreRefusedWithFileAndLine) {
  const TestFolder folder("darknet");
  write_export(folder.path());
  for (const auto& [text, message] :
       {std::pair("valid = valid.txt\n", "obj.data: no 'names', the file with the names of the classes"),
        {"valid = valid.txt\nnames =\n", "obj.data:2: no 'key = value'"},
        {"= valid.txt\n", "obj.data:1: no 'key = value'"},
        {"names\n", "obj.data:1: no 'key = value'"},
        {"names = obj.names\nnames = b\n", "obj.data:2: 'names' occurs twice"},
        {"\n\nnames = none.names\n", "obj.data:3: 'none.names' is no file in this folder"},
        {"names = ../obj.names\n", "obj.data:1: '../obj.names' is no file in this folder"},
        {"names = data/../../obj.names\n", "obj.data:1: 'data/../../obj.names' is no file in this folder"},
        {"names = obj.names\nvalid = /etc/passwd\n", "obj.data:2: '/etc/passwd' is no file in this folder"},
        {"names = obj.names\nvalid = obj_valid_data\n", "obj.data:2: 'obj_valid_data' is no file in this folder"}}) {
    write_at(folder / "obj.data", text);
    EXPECT_TRUE(contains(refusal_of(folder.path()), message)) << refusal_of(folder.path());
  }
  write_at(folder / "obj.data", "names = obj.names\nvalid = valid.txt\n");
  write_at(folder / "valid.txt", "\ndata/../../x.png\n");
  EXPECT_TRUE(contains(refusal_of(folder.path()), "valid.txt:2: '../x.png' leads out of the data set"))
      << refusal_of(folder.path());
  write_at(folder / "obj.names", "\n \n");
  EXPECT_TRUE(contains(refusal_of(folder.path()), "obj.names: no class, of which each line should name one"));
}

}  // namespace
}  // namespace effdet::dataset
