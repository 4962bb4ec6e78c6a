// evaluate from outside: comparison of two results, Open Images' rules, category maps.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/shell.h"
#include "support/test_folder.h"

namespace {

using effdet::test::contains, effdet::test::Result;
using nlohmann::json;

class CliEvaluate : public testing::Test {
 protected:
  Result sh(const std::string& command) const { return effdet::test::run_in(folder_.path(), command); }

  json expect_json(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.error;
    return json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  }

  void expect_refused(const std::string& command, int code, const std::string& message) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, code) << command;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_TRUE(contains(result.error, message)) << result.error;
    EXPECT_EQ(result.out, "");
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  const effdet::test::TestFolder folder_{"cli_evaluate"};
};

/// A cat and a dog in each of four images. "a.json" finds all cats, "b.json" the dogs of the first two images, too, and
/// sees a cat that is not there in the last.
class CliCompare : public CliEvaluate {
 protected:
  CliCompare() {
    json truth = {{"images", json::array()},
                  {"categories", {{{"id", 1}, {"name", "cat"}}, {{"id", 2}, {"name", "dog"}}}},
                  {"annotations", json::array()}};
    json a = json::array();
    for (int image = 1; image <= 4; ++image) {
      truth["images"].push_back({{"id", image}, {"file_name", "i" + std::to_string(image) + ".jpg"}});
      for (const int category : {1, 2})
        truth["annotations"].push_back({{"id", 2 * image + category},
                                        {"image_id", image},
                                        {"category_id", category},
                                        {"bbox", {0, 60 * (category - 1), 40, 40}}});
      a.push_back(found(image, 1, 0, 0.9));
    }
    json b = a;
    for (const int image : {1, 2}) b.push_back(found(image, 2, 60, 0.8));
    b.push_back(found(4, 1, 200, 0.95));
    write("gt.json", truth.dump());
    write("a.json", a.dump());
    write("b.json", b.dump());
  }

  static json found(int image, int category, int top, double score) {
    return {{"image_id", image}, {"category_id", category}, {"bbox", {0, top, 40, 40}}, {"score", score}};
  }
};

TEST_F(CliCompare, SaysWhatChangedAndHowSureThatIs) {
  const json all =
      expect_json("effdet evaluate --gt gt.json --dt b.json --against a.json --json --score-threshold 0.5");
  const json& comparison = all["comparison"];
  EXPECT_EQ(comparison["against"], "a.json");
  EXPECT_EQ(comparison["resamples"], 1000);
  EXPECT_EQ(comparison["other_detections"], 4);
  const json& ap = comparison["metrics"]["AP"];
  EXPECT_EQ(ap["value"], all["stats"]["AP"]);
  EXPECT_EQ(ap["other"], expect_json("effdet evaluate gt.json a.json --json")["stats"]["AP"]);
  EXPECT_NEAR(ap["difference"], ap["value"].get<double>() - ap["other"].get<double>(), 1e-15);
  EXPECT_LE(ap["low"], ap["difference"]);
  EXPECT_GE(ap["high"], ap["difference"]);
  EXPECT_TRUE(comparison["metrics"]["AP_large"]["difference"].is_null());  // there is no such object
  EXPECT_EQ(comparison["changed_categories"]["listed"][0]["category"], "dog");
  EXPECT_EQ(comparison["categories"][1]["AP50"]["resamples"], 1000);
  const json& images = comparison["changed_images"];
  EXPECT_EQ(images["count"], 3);
  EXPECT_EQ(images["listed"][0]["file_name"], "i1.jpg");
  EXPECT_EQ(images["listed"][0]["found"], 1);
  EXPECT_EQ(images["listed"][0]["boxes"][0]["kind"], "found");
  EXPECT_EQ(images["listed"][0]["boxes"][0]["category"], "dog");
  EXPECT_EQ(images["listed"][2]["counts"]["false_positives"], 1);  // the cat that is not there
  EXPECT_EQ(images["listed"][2]["boxes"][0]["score"], 0.95);
  const Result text = sh("effdet evaluate gt.json b.json --against a.json --bootstrap 50 --seed 3");
  EXPECT_TRUE(contains(text.out, "\nCompared with a.json (4 detections): 95 % intervals of 50 resamples")) << text.out;
  EXPECT_TRUE(contains(text.out, "\nThe interval includes 0: ")) << text.out;
  EXPECT_TRUE(contains(text.out, "\ni1.jpg")) << text.out;
  const Result classes = sh("effdet evaluate gt.json b.json --against a.json --per-class");
  EXPECT_TRUE(contains(classes.out, "\nDifferences by category\n")) << classes.out;
}

TEST_F(CliCompare, IsTheSameAtAnyNumberOfThreadsAndForTheSameSeed) {
  const std::string command = "effdet evaluate gt.json b.json --against a.json --json --bootstrap 100 ";
  const Result one = sh(command + "--threads 1");
  EXPECT_EQ(one.out, sh(command + "--threads 3").out);
  EXPECT_EQ(one.out, sh(command + "--seed 0").out);
  EXPECT_NE(one.out, sh(command + "--seed 7").out);
  const json itself = expect_json("effdet evaluate gt.json a.json --against a.json --json --bootstrap 9");
  EXPECT_EQ(itself["comparison"]["metrics"]["AP"]["difference"], 0);
  EXPECT_EQ(itself["comparison"]["metrics"]["AP"]["low"], 0);
  EXPECT_EQ(itself["comparison"]["metrics"]["AP"]["high"], 0);
  EXPECT_EQ(itself["comparison"]["changed_images"]["count"], 0);
}

TEST_F(CliCompare, EvaluatesBothOnTheSameImages) {
  write("one.json", json::array({found(1, 1, 0, 0.9)}).dump());
  const json chosen = expect_json("effdet evaluate gt.json b.json --against one.json --json --images 1");
  EXPECT_EQ(chosen["images"], 1);
  EXPECT_EQ(chosen["comparison"]["other_detections"], 1);
  const json seen = expect_json("effdet evaluate gt.json one.json --against b.json --json --only-images-with-results");
  EXPECT_EQ(seen["images"], 4);  // the others have results in b.json
}

TEST_F(CliCompare, RefusesWhatCannotBeCompared) {
  const std::string command = "effdet evaluate gt.json a.json ";
  write("images.json", json::array({found(9, 1, 0, 0.9)}).dump());
  expect_refused(command + "--against images.json", 3, "images.json: ");
  expect_refused(command + "--against images.json", 3, "the annotation file has no image 9");
  write("categories.json", json::array({found(1, 7, 0, 0.9)}).dump());
  expect_refused(command + "--against categories.json", 3,
                 "categories.json: 1 results are of categories that the annotation file does not list");
  expect_refused("effdet evaluate gt.json categories.json --against a.json", 3, "categories.json: 1 results");
  expect_refused(command + "--against absent.json", 4, "absent.json");
  write("broken.json", "[{");
  expect_refused(command + "--against broken.json", 3, "broken.json");
  expect_refused(command + "--against gt.json", 3, "gt.json: ");
  expect_refused("effdet evaluate a.json b.json --against gt.json", 2, "gt.json");
  expect_refused(command + "--bootstrap 10", 2, "--against");
  expect_refused(command + "--seed 1", 2, "--against");
  expect_refused(command + "--match-iou 0.5", 2, "--match-iou is about what --analysis, --report or --against show");
  for (const char* number : {"0", "100001"})
    expect_refused(command + "--against b.json --bootstrap " + number, 2, "1 to 100000");
  expect_refused(command + "--max-dets 0", 2, "'0' is not a number of detections from 1 to 4294967295");
  expect_refused(command + "--categories ''", 2, "--categories: the value is empty");
  for (const char* list : {"--categories ', '", "--images ','"})
    expect_refused(command + list, 2, "leave it out for all");
  expect_refused(command + "--report page --image-folder nowhere", 4, "--image-folder: nowhere: no folder");
  expect_refused(command + "--against b.json --recall-thresholds 0.5,0.1", 2, "recall thresholds have to rise");
  expect_refused(command + "--against b.json --match-iou 2", 2, "--match-iou: '2' is no number of 0 to 1");
  expect_refused(command + "--against b.json --open-images", 2, "--against");
}

/// Two images of 100 x 100 with a car each, the first one a group; results that find both and see a cat.
class CliOpenImages : public CliEvaluate {
 protected:
  CliOpenImages() {
    const Result made =
        sh("effdet scenes --out scenes --images 2 --min-side 100 --max-side 100 && mkdir data data/validation && "
           "cp scenes/val2017/000000000001.jpg data/validation/a1.jpg && "
           "cp scenes/val2017/000000000002.jpg data/validation/b2.jpg");
    EXPECT_EQ(made.code, 0) << made.error;
    write("data/class-descriptions-boxable.csv", "/m/car,Car\n/m/vehicle,Vehicle\n/m/cat,Cat\n");
    write("data/validation-annotations-bbox.csv",
          "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na1,/m/car,0,1,0,1,1\nb2,/m/car,0,0.5,0,0.5,0\n");
    write("r.json", R"([{"image_id": "a1", "category_id": 1, "bbox": [0, 0, 30, 30], "score": 0.9},
                        {"image_id": "a1", "category_id": 1, "bbox": [50, 50, 30, 30], "score": 0.8},
                        {"image_id": "b2", "category_id": 1, "bbox": [0, 0, 50, 50], "score": 0.7},
                        {"image_id": "b2", "category_id": 2, "bbox": [0, 0, 50, 50], "score": 0.6},
                        {"image_id": "b2", "category_id": 3, "bbox": [0, 0, 50, 50], "score": 0.6}])");
  }

  void add_labels_and_hierarchy(const std::string& folder) const {
    write(folder + "labels.csv", "ImageID,Source,LabelName,Confidence\na1,v,/m/cat,0\nb2,v,/m/cat,1\n");
    write(folder + "hierarchy.json",
          R"({"LabelName": "/m/0", "Subcategory": [{"LabelName": "/m/vehicle", "Subcategory":
              [{"LabelName": "/m/car"}]}, {"LabelName": "/m/cat"}]})");
  }
};

TEST_F(CliOpenImages, EvaluatesByTheRulesOfTheChallenge) {
  add_labels_and_hierarchy("");
  const std::string command =
      "effdet evaluate data r.json --open-images --hierarchy hierarchy.json --image-labels labels.csv";
  const json report = expect_json(command + " --json");
  EXPECT_EQ(report["rules"], "openimages");
  EXPECT_EQ(report["images"], 2);
  EXPECT_EQ(report["stats"]["mAP50"], 0.75);
  ASSERT_EQ(report["categories"].size(), 3u);
  EXPECT_EQ(report["categories"][0]["AP50"], 1);    // the group is found twice, and counts once
  EXPECT_EQ(report["categories"][1]["AP50"], 0.5);  // both cars are vehicles; one is found
  EXPECT_EQ(report["categories"][2]["AP50"], -1);   // there is no box of a cat
  EXPECT_EQ(report["categories"][2]["detections"], 1);
  const Result text = sh(command + " --per-class");
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(contains(text.out, "Open Images' rules on all 2 images")) << text.out;
  EXPECT_TRUE(contains(text.out, "(mAP) @[ IoU=0.50 | Open Images ] = 0.750\n")) << text.out;
  EXPECT_TRUE(contains(text.out, "\nVehicle ")) << text.out;
  EXPECT_EQ(text.error, "");
  EXPECT_EQ(sh(command + " --threads 1 --json").out, sh(command + " --threads 3 --json").out);
}

/// Ids of images are those of the original, so that results of it are evaluated, and so is the way back.
TEST_F(CliOpenImages, EvaluatesWhatConvertWrote) {
  const Result converted =
      sh("effdet convert scenes --to openimages --out oi && effdet convert oi --to coco --out back");
  EXPECT_EQ(converted.code, 0) << converted.error;
  const json truth = json::parse(effdet::test::content(folder_ / "scenes/annotations/instances_val2017.json"));
  json results = json::array();
  for (const json& object : truth["annotations"])
    results.push_back({{"image_id", object["image_id"]},
                       {"category_id", object["category_id"]},
                       {"bbox", object["bbox"]},
                       {"score", 0.5}});
  write("found.json", results.dump());
  const json report = expect_json("effdet evaluate oi found.json --open-images --json");
  EXPECT_EQ(report["stats"]["mAP50"], 1);
  EXPECT_EQ(report["detections"], truth["annotations"].size());
  EXPECT_NEAR(expect_json("effdet evaluate back/annotations/instances_val2017.json found.json --json")["stats"]["AP"],
              1, 1e-12);
}

TEST_F(CliOpenImages, WarnsOfWhatIsNotThere) {
  const Result bare = sh("effdet evaluate data r.json --open-images");
  EXPECT_EQ(bare.code, 0) << bare.error;
  EXPECT_EQ(std::count(bare.error.begin(), bare.error.end(), '\n'), 2) << bare.error;  // hierarchy and labels
  EXPECT_TRUE(contains(bare.error, "[WARNING] ")) << bare.error;
}

TEST_F(CliOpenImages, RefusesWhatCannotApplyAndWhatMakesNoSense) {
  const std::string command = "effdet evaluate data r.json --open-images ";
  for (const char* option :
       {"--lvis", "--only-images-with-results", "--images a1", "--categories Car", "--analysis",
        "--category-map map.csv", "--no-categories", "--iou-thresholds 0.5", "--max-dets 1", "--areas all=0:9",
        "--errors", "--arrays a.npz", "--strict", "--report out", "--score-threshold 0.5", "--match-iou 0.5"})
    expect_refused(command + option, 2, "--open-images");
  expect_refused("effdet evaluate data r.json --hierarchy h.json", 2, "--open-images");
  expect_refused(command + "--split test", 4, "test-annotations-bbox.csv");
  expect_refused(command + "--hierarchy absent.json", 4, "absent.json");
  write("hierarchy.json", "[");
  expect_refused(command + "--hierarchy hierarchy.json", 3, "hierarchy.json: no JSON object");
  write("data/validation-annotations-bbox.csv",
        "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\na1,/m/dog,0,1,0,1,1\n");
  expect_refused(command, 3, "validation-annotations-bbox.csv:2: class '/m/dog' is none of ");
}

/// Results whose category ids are those of another program: 0 is the dog, 5 and 6 are kinds of cats, 9 is nothing.
class CliCategoryMap : public CliCompare {
 protected:
  CliCategoryMap() {
    json results = json::array();
    for (int image = 1; image <= 4; ++image) {
      results.push_back(found(image, image % 2 == 0 ? 5 : 6, 0, 0.9));
      results.push_back(found(image, 0, 60, 0.8));
      results.push_back(found(image, 9, 60, 0.95));
    }
    write("r.json", results.dump());
  }
};

TEST_F(CliCategoryMap, GivesResultsTheCategoriesOfTheAnnotations) {
  write("map.csv", "class,category\n# cats\n5,cat\n6,1\n0,dog\n");
  const Result result = sh("effdet evaluate gt.json r.json --category-map map.csv --json");
  EXPECT_EQ(result.code, 0) << result.error;
  const json mapped = json::parse(result.out);
  EXPECT_NEAR(mapped["stats"]["AP"], 1, 1e-12);
  EXPECT_EQ(mapped["detections"], 8);
  EXPECT_TRUE(contains(result.error, "4 of 12 results left out: of categories that the category map does not have"))
      << result.error;
  const Result plain = sh("effdet evaluate gt.json r.json --json");
  EXPECT_EQ(json::parse(plain.out)["stats"]["AP"], 0);
  EXPECT_TRUE(contains(plain.error, "of categories that the annotation file does not list")) << plain.error;
  const json compared = expect_json("effdet evaluate gt.json r.json --against r.json --category-map map.csv --json");
  EXPECT_EQ(compared["comparison"]["metrics"]["AP"]["high"], 0);
}

TEST_F(CliCategoryMap, RefusesMapsThatMakeNoSense) {
  const std::string command = "effdet evaluate gt.json r.json --category-map map.csv";
  expect_refused(command, 4, "map.csv");
  for (const auto& [map, message] :
       {std::pair("5,cow\n", "map.csv:1: category 'cow' is neither an id nor a name of the annotations' 2 categories"),
        {"5,cat\nx,dog\n", "map.csv:2: class 'x' is no whole number"},
        {"5\n", "map.csv:1: "},
        {"5,cat\n5,dog\n", "map.csv:2: "},
        {"", "map.csv"}}) {
    write("map.csv", map);
    expect_refused(command, 3, message);
  }
}

}  // namespace
