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
  EXPECT_EQ(images["listed"][2]["counts"]["false_positives"], 1);  // the cat that is not there
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
  expect_refused(command + "--match-iou 0.5", 2, "--match-iou is about what --analysis or --against show");
  expect_refused(command + "--against b.json --bootstrap 0", 2, "the number of resamples is 0");
  expect_refused(command + "--against b.json --recall-thresholds 0.5,0.1", 2, "recall thresholds have to rise");
  expect_refused(command + "--against b.json --match-iou 2", 2, "the IoU threshold is 2");
  expect_refused(command + "--against b.json --open-images", 2, "--against");
}

}  // namespace
