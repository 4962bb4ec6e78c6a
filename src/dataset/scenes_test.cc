// Synthetic data sets as they are written.
#include <set>

#include "dataset/test_support.h"
#include "scenes/shapes.h"

namespace effdet::dataset {
namespace {

class WriteScenes : public testing::Test {
 protected:
  const TestFolder folder_{"dataset"};
};

TEST_F(WriteScenes, WritesCocoLayout) {
  const fs::path root = folder_ / "layout";
  int calls = 0;
  write_scenes(root, {.images = 5, .seed = 11, .first_id = 40}, [&](size_t done, size_t total) {
    EXPECT_EQ(done, static_cast<size_t>(++calls));
    EXPECT_EQ(total, 5u);
  });
  EXPECT_EQ(calls, 5);
  const nlohmann::json index = load_json(annotations_of(root));
  ASSERT_EQ(index["images"].size(), 5u);
  EXPECT_EQ(index["images"][0]["file_name"], "000000000040.jpg");
  for (const nlohmann::json& image : index["images"]) {
    EXPECT_TRUE(fs::is_regular_file(root / "val2017" / image["file_name"].get<std::string>()));
    EXPECT_GE(image["width"], 192);
    EXPECT_LE(image["height"], 320);
  }
  ASSERT_EQ(index["categories"].size(), scenes::kShapeNames.size());
  EXPECT_EQ(index["categories"][3]["name"], "star");
}

TEST_F(WriteScenes, AnnotationsReferToImagesAndCategories) {
  const fs::path root = folder_ / "annotations";
  write_scenes(root, {.images = 5, .first_id = 3});
  std::set<int64_t> ids;
  const nlohmann::json index = load_json(annotations_of(root));
  for (const nlohmann::json& annotation : index["annotations"]) {
    EXPECT_TRUE(ids.insert(annotation["id"].get<int64_t>()).second);
    EXPECT_GE(annotation["image_id"], 3);
    EXPECT_LE(annotation["image_id"], 7);
    EXPECT_GE(annotation["category_id"], 1);
    EXPECT_LE(annotation["category_id"], 6);
    EXPECT_EQ(annotation["bbox"].size(), 4u);
    EXPECT_EQ(annotation["iscrowd"], 0);
  }
  EXPECT_GE(ids.size(), 5u);
}

TEST_F(WriteScenes, ImagesDependOnSeedAndIdAlone) {
  const fs::path whole = folder_ / "whole", part = folder_ / "part", other = folder_ / "other";
  write_scenes(whole, {.images = 3, .seed = 5});
  write_scenes(part, {.images = 1, .seed = 5, .first_id = 3});
  write_scenes(other, {.images = 3, .seed = 6});
  const fs::path image = fs::path("val2017") / "000000000003.jpg";
  EXPECT_EQ(read_file(whole / image), read_file(part / image));
  EXPECT_NE(read_file(whole / image), read_file(other / image));
}

TEST_F(WriteScenes, RefusesOptionsOutOfRange) {
  const std::vector<SyntheticScenes> wrong{{.images = 0},      {.min_side = 63}, {.min_side = 300, .max_side = 200},
                                           {.max_side = 5000}, {.first_id = 0},  {.first_id = 2147483640}};
  for (const SyntheticScenes& options : wrong) {
    try {
      write_scenes(folder_ / "refused", options);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
}

TEST_F(WriteScenes, ReportsAFolderThatCannotBeMade) {
  const fs::path file = folder_ / "file";
  write_file(file, std::string_view("not a folder"));
  try {
    write_scenes(file, {.images = 1});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace effdet::dataset
