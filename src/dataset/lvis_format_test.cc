// LVIS data sets: where their images are, what rules they bring, and what becomes of them in other formats.
#include <algorithm>

#include "dataset/dataset.h"
#include "dataset/evaluation.h"
#include "dataset/format.h"
#include "dataset/run_key.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

void write_lvis(const fs::path& root, const fs::path& image) {
  make_folder(root / "annotations");
  write_file(root / "annotations/lvis_v1_val.json", R"({"images": [{"id": 7, "width": 200, "height": 100,
      "coco_url": "http://images.cocodataset.org/train2017/000000000007.jpg",
      "neg_category_ids": [3], "not_exhaustive_category_ids": [2]}],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 2, "bbox": [10, 10, 50, 50], "area": 1700}],
    "categories": [{"id": 2, "name": "aerosol_can", "frequency": "c"}, {"id": 3, "name": "alarm_clock", "frequency": "r"},
                   {"id": 5, "name": "alcohol", "frequency": "f"}]})");
  write_picture(root / image, 200, 100);
}

TEST(LvisFormat, FindsImagesWhereverTheyLie) {
  for (const char* image : {"train2017/000000000007.jpg", "images/train2017/000000000007.jpg", "000000000007.jpg",
                            "images/000000000007.jpg"}) {
    const TestFolder folder("lvis");
    write_lvis(folder.path(), image);
    EXPECT_EQ(format_of(folder.path()).name, "lvis");
    const Dataset source(folder.path());
    EXPECT_NO_THROW(source.open(*source.images().at(0))) << image;
    DataSource named;
    named.annotations = folder / "annotations/lvis_v1_val.json";
    EXPECT_EQ(format_of(named).name, "lvis");
    const Dataset same(named);
    EXPECT_NO_THROW(same.open(*same.images().at(0))) << image;
  }
}

TEST(LvisFormat, BringsItsRules) {
  const TestFolder folder("lvis");
  write_lvis(folder.path(), "train2017/000000000007.jpg");
  const Dataset source(folder.path());
  std::vector<eval::CocoResult> results;
  for (const int64_t category : {2, 3, 5}) results.push_back({7, {100, 10, 20, 20}, 0.9, category});
  results.push_back({7, {10, 10, 50, 50}, 0.8, 2});
  const Evaluation evaluation = evaluate(source.truth(), results, std::array<int64_t, 1>{7});
  EXPECT_EQ(evaluation.rules, EvaluationRules::kLvis);
  EXPECT_EQ(evaluation.detections, 3u);  // nobody looked for alcohol
  EXPECT_NEAR(evaluation.metrics.front().value, 1, 1e-12);
  EXPECT_EQ(evaluation.categories.at(0).frequency, 'c');
  // Kinds of errors are those of COCO's rules.
  const Explanations errors{.error_analysis = true};
  EXPECT_TRUE(evaluate(source.truth(), results, std::array<int64_t, 1>{7}, errors).errors.kinds.empty());
  eval::GroundTruth other = source.truth();
  other.images[0].absent_categories.clear();
  EXPECT_NE(data_key(other), data_key(source.truth()));
}

TEST(LvisFormat, HasAsManyDetectionsAsItsRulesCount) {
  const TestFolder folder("lvis");
  write_lvis(folder.path(), "train2017/000000000007.jpg");
  fs::rename(folder / "annotations/lvis_v1_val.json", folder / "a.json");
  edit_json(folder / "a.json", [](auto& json) {  // six categories for six classes, all of which are looked for
    json["categories"] = nlohmann::json::array();
    json["images"][0]["file_name"] = "train2017/000000000007.jpg";
    json["images"][0]["neg_category_ids"] = {1, 3, 4, 5, 6};
    for (const int id : {1, 2, 3, 4, 5, 6})
      json["categories"].push_back({{"id", id}, {"name", std::to_string(id)}, {"frequency", "f"}});
  });
  DataSource data(folder.path());
  data.annotations = folder / "a.json";
  const auto results = [&](DetectOptions detect) {
    validate_dataset(data, tiny_model(), {.detect = detect, .results = folder / "r.json"});
    return load_json(folder / "r.json").size();
  };
  EXPECT_EQ(results({}), 100u);
  data.format = "lvis";
  EXPECT_EQ(results({}), 300u);
  EXPECT_EQ(results({.max_detections = 7}), 7u);
}

TEST(LvisFormat, IsConvertedThereAndBack) {
  const TestFolder folder("lvis");
  write_lvis(folder / "data", "train2017/000000000007.jpg");
  const ConvertReport same = convert_dataset(folder / "data", folder / "same", {.format = "lvis"});
  EXPECT_TRUE(same.notes.empty()) << same.notes.front();
  const Dataset before(folder / "data"), after(folder / "same");
  EXPECT_EQ(data_key(before.truth()), data_key(after.truth()));
  const ConvertReport coco = convert_dataset(folder / "data", folder / "coco", {.format = "coco"});
  ASSERT_EQ(coco.notes.size(), 1u);
  EXPECT_TRUE(contains(coco.notes[0], "coco does not hold which categories images were searched for"));
  EXPECT_NO_THROW(Dataset(folder / "coco").open(*Dataset(folder / "coco").images().at(0)));
  convert_dataset(folder / "coco", folder / "back", {.format = "lvis"});
  const Dataset back(folder / "back");
  EXPECT_EQ(back.truth().images.at(0).absent_categories, (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(back.truth().categories.at(0).frequency, 'r');  // one image
}

TEST(LvisFormat, FilesMayLieAnywhere) {
  const TestFolder folder("lvis");
  write_lvis(folder.path(), "pictures/000000000007.jpg");
  fs::rename(folder / "annotations/lvis_v1_val.json", folder / "lvis_v1_val.json");
  const auto opens = [](const DataSource& data) {
    const Dataset source(data);
    EXPECT_NO_THROW(source.open(*source.images().at(0)));
  };
  DataSource data(folder.path());
  data.images = folder / "pictures";
  EXPECT_EQ(format_of(data).name, "lvis");
  opens(data);
  data.annotations = folder / "lvis_v1_val.json";
  opens(data);
  fs::rename(folder / "pictures", folder / "images");
  data.images.clear();
  opens(data);
  data.root.clear();
  opens(data);
  DataSource none(folder.path());
  none.split = "test";
  none.format = "lvis";
  const Error error = error_of([&] { Dataset{none}; });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "lvis_v1_val.json: no such file") && contains(error.what(), "'test'"))
      << error.what();
}

TEST(LvisFormat, NamesThatLeadOutOrAreMissingAreNoFoldersToDrop) {
  const TestFolder folder("lvis");
  write_lvis(folder.path(), "000000000007.jpg");
  const fs::path file = folder / "annotations/lvis_v1_val.json";
  edit_json(file, [](auto& json) { json["images"][0]["file_name"] = "../000000000007.jpg"; });
  const Dataset outside(folder.path());
  EXPECT_TRUE(contains(bad_input_message([&] { outside.open(*outside.images().at(0)); }), "leads out of"));
  edit_json(file, [](auto& json) { json["images"][0]["file_name"] = "val2017/gone.jpg"; });
  EXPECT_EQ(Dataset(folder.path()).images().at(0)->file_name, "val2017/gone.jpg");
  edit_json(file, [](auto& json) { json["images"] = json["annotations"] = nlohmann::json::array(); });
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }), "no images"));
}

/// As the published files have it: the 337 rare categories of LVIS v1 have up to 10 images, the 461 common ones 11 to
/// 100.
TEST(LvisFormat, CategoriesAreAsFrequentAsTheyHaveImages) {
  const TestFolder folder("lvis");
  eval::GroundTruth truth;
  const std::vector<std::pair<size_t, char>> expected{{1, 'r'}, {10, 'r'}, {11, 'c'}, {100, 'c'}, {101, 'f'}};
  for (int64_t id = 1; id <= 101; ++id) truth.images.push_back({id, fmt::format("{}.jpg", id), 64, 48});
  for (size_t k = 0; k < expected.size(); ++k) {
    const auto category = static_cast<int64_t>(k) + 1;
    truth.categories.push_back({category, fmt::format("c{}", k)});
    for (size_t i = 0; i < expected[k].first; ++i)
      truth.annotations.push_back({.id = static_cast<int64_t>(truth.annotations.size()) + 1,
                                   .image_id = truth.images[i].id,
                                   .category_id = category,
                                   .bbox = {0, 0, 9, 9},
                                   .area = 81});
  }
  truth.annotations.back().is_ignored = true;
  DataSource data(folder.path());
  data.format = "lvis";
  const Format& format = format_of(data);
  format.write(folder.path(), truth, {});
  const eval::GroundTruth read = format.read(data);
  for (size_t k = 0; k < expected.size(); ++k)
    EXPECT_EQ(read.categories.at(k).frequency, expected[k].second) << expected[k].first << " images";
  EXPECT_TRUE(read.annotations.back().is_ignored);
  EXPECT_EQ(read.images.back().absent_categories, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(BadInput, Case83_LvisWithoutItsFields) {
  const TestFolder folder("lvis");
  write_lvis(folder.path(), "train2017/000000000007.jpg");
  const fs::path file = folder / "annotations/lvis_v1_val.json";
  nlohmann::json json = load_json(file);
  json["images"][0].erase("not_exhaustive_category_ids");
  write_file(file, json.dump());
  EXPECT_TRUE(contains(bad_input_message([&] { Dataset{folder.path()}; }),
                       R"(images[0]: "not_exhaustive_category_ids" is missing)"));
}

}  // namespace
}  // namespace effdet::dataset
