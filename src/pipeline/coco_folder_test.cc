#include "pipeline/coco_folder.h"

#include "pipeline/test_support.h"

namespace effdet::pipeline {
namespace {

TEST(CocoFolder, SortsByIdSkipsSmallSidesAndKeepsImagesWithoutBoxes) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 4);
  edit_annotations(root, [](auto& json) {
    std::reverse(json["images"].begin(), json["images"].end());
    json["images"][1]["width"] = 31;  // id 3
    json["annotations"] = nlohmann::json::array();
  });
  const CocoFolder source(root);
  std::vector<int64_t> ids;
  for (const CocoImage* image : source.images()) ids.push_back(image->id);
  EXPECT_EQ(ids, (std::vector<int64_t>{1, 2, 4}));
  EXPECT_EQ(source.skipped(), std::vector<std::string>{"000000000003.jpg"});
}

TEST(CocoFolder, RefusesADataSetWithoutImages) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) { json["images"][0]["height"] = 8; });
  EXPECT_TRUE(contains(bad_input_message([&] { CocoFolder{root}; }), "no images"));
}

TEST(CocoFolder, NamesTheMissingAnnotationFile) {
  const TestFolder folder("pipeline");
  const Error error = error_of([&] { CocoFolder{folder.path()}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "instances_val2017.json"));
}

TEST(CocoFolder, RefusesImagesThatWouldShareFiles) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2);
  edit_annotations(root, [](auto& json) { json["images"][1]["file_name"] = "other/000000000001.png"; });
  const std::string message = bad_input_message([&] { CocoFolder(root).require_unique_stems(); });
  EXPECT_TRUE(contains(message, "000000000001.jpg") && contains(message, "other/000000000001.png")) << message;
}

TEST(BadInput, Case84_AnnotatedSizeIsNotTheImages) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  edit_annotations(root, [](auto& json) { json["images"][0]["width"] = 5000; });
  const CocoFolder source(root);
  const std::string message = bad_input_message([&] { source.load(*source.images()[0]); });
  EXPECT_TRUE(contains(message, "000000000001.jpg: the image has ") && contains(message, "says 5000 x ")) << message;
}

TEST(BadInput, Case87_FileNameThatLeadsOutOfTheFolder) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  for (const char* name : {"../../x.jpg", "/etc/passwd", "a/../../b.jpg"}) {
    edit_annotations(root, [&](auto& json) { json["images"][0]["file_name"] = name; });
    EXPECT_TRUE(contains(bad_input_message([&] { CocoFolder{root}; }), "leads out of")) << name;
  }
}

}  // namespace
}  // namespace effdet::pipeline
