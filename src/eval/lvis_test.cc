// LVIS' rules: against lvis-api, and what a file must have for them.
#include "eval/lvis.h"

#include <gtest/gtest.h>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

TEST(Lvis, EqualsLvisApiInEveryBit) {
  for (const auto& set : load_json(golden("lvis.json")))
    for (const auto& test : set["cases"]) {
      const size_t limit = test["limit"];
      const auto truth = parse_coco_dataset(set["annotations"].get<std::string>(), "gt.json", BadRecords::kLeaveOut,
                                            nullptr, Rules::kLvis);
      auto results = parse_coco_results(set["results"].get<std::string>(), "dt.json", truth).results;
      SCOPED_TRACE(limit);
      const std::vector<std::string> notes = keep_lvis_results(truth, limit, results);
      ASSERT_EQ(notes.size(), 1u);
      EXPECT_TRUE(notes[0].starts_with("1 of ")) << notes[0];
      CocoParams params = CocoParams::all_of(truth);
      params.max_detections = {limit};
      const CocoEvaluation evaluation = evaluate_coco(truth, results, params, CocoOutput::kAllArrays);
      const CocoArrays& arrays = evaluation.arrays;
      EXPECT_EQ((std::vector{arrays.thresholds, arrays.recalls, arrays.categories, arrays.areas}),
                test["counts"].get<std::vector<size_t>>());
      EXPECT_EQ(fnv1a(arrays.precision), test["precision"].get<std::string>());
      EXPECT_EQ(fnv1a(arrays.recall), test["recall"].get<std::string>());
      const auto metrics = summarize_lvis(truth, evaluation);
      ASSERT_EQ(metrics.size(), test["metrics"].size());
      for (size_t i = 0; i < metrics.size(); ++i) {
        EXPECT_EQ(metrics[i].name, test["metrics"][i][0].get<std::string>());
        EXPECT_EQ(metrics[i].value, test["metrics"][i][1].get<double>()) << metrics[i].name;
      }
      EXPECT_EQ(
          metrics[6].line.substr(0, metrics[6].line.find(" = ")),
          fmt::format(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets={:>3} catIds=  r]", limit));
    }
}

TEST(Lvis, NamesTheFieldThatAFileLacks) {
  const auto refused = [](const std::string& image, const std::string& category) {
    return bad_input_message([&] {
      parse_coco_dataset(
          R"({"images": [{"id": 1)" + image + R"(}], "annotations": [], "categories": [{"id": 3)" + category + "}]}",
          "gt.json", BadRecords::kLeaveOut, nullptr, Rules::kLvis);
    });
  };
  const std::string whole = R"(, "neg_category_ids": [], "not_exhaustive_category_ids": [])";
  EXPECT_NE(refused("", "").find(R"(gt.json: images[0]: "neg_category_ids" is missing)"), std::string::npos);
  EXPECT_NE(refused(R"(, "neg_category_ids": [3])", "").find(R"("not_exhaustive_category_ids" is missing)"),
            std::string::npos);
  EXPECT_NE(refused(whole, "").find(R"(categories[0]: "frequency" is missing)"), std::string::npos);
  EXPECT_NE(refused(whole, R"(, "frequency": "x")").find(R"(frequency: "x" is none of "r", "c" and "f")"),
            std::string::npos);
  EXPECT_NE(refused(R"(, "neg_category_ids": 3)", "").find("neg_category_ids: expected"), std::string::npos);
}

TEST(Lvis, TakesNamesOfFilesFromUrls) {
  const auto truth = parse_coco_dataset(
      R"({"images": [{"id": 7, "coco_url": "http://a.b/val2017/7.jpg", "neg_category_ids": [],
          "not_exhaustive_category_ids": []}], "annotations": [], "categories": []})",
      "gt.json", BadRecords::kLeaveOut, nullptr, Rules::kLvis);
  EXPECT_EQ(truth.images[0].file_name, "val2017/7.jpg");
}

}  // namespace
}  // namespace effdet::eval
