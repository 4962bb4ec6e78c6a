// The programs from outside: --report of evaluate and validate.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/shell.h"
#include "support/test_folder.h"

namespace {

namespace fs = std::filesystem;
using effdet::test::contains;
using effdet::test::content;
using effdet::test::Result;

class CliReport : public testing::Test {
 protected:
  /// Scenes, and results that are their objects but for the first one of each image.
  CliReport() {
    expect_success("effdet scenes --out data --images 3 --seed 4 --min-side 64 --max-side 96");
    const nlohmann::json truth = nlohmann::json::parse(content(folder_ / kAnnotations));
    nlohmann::json results = nlohmann::json::array();
    int64_t last = -1;
    for (const auto& object : truth["annotations"]) {
      if (object["image_id"] != last)
        results.push_back(
            {{"image_id", object["image_id"]}, {"category_id", 1}, {"bbox", {1, 2, 9, 9}}, {"score", 0.8}});
      else
        results.push_back({{"image_id", object["image_id"]},
                           {"category_id", object["category_id"]},
                           {"bbox", object["bbox"]},
                           {"score", 0.9}});
      last = object["image_id"];
    }
    std::ofstream(folder_ / "r.json") << results;
  }

  Result sh(const std::string& command) const { return effdet::test::run_in(folder_.path(), command); }
  Result expect_success(const std::string& command) const {
    const Result result = sh(command);
    EXPECT_EQ(result.code, 0) << command << "\n" << result.error;
    return result;
  }
  std::string page(const std::string& name) const { return content(folder_ / name / "index.html"); }

  /// The text without its date: 23 characters of a form that nothing else has.
  static std::string without_date(std::string text) {
    const size_t at = text.find(" UTC");
    return at == std::string::npos ? text : text.erase(at - 19, 23);
  }

  static constexpr const char* kAnnotations = "data/annotations/instances_val2017.json";
  const std::string evaluate_ = std::string("effdet evaluate ") + kAnnotations + " r.json";
  const effdet::test::TestFolder folder_{"cli_report"};
};

TEST_F(CliReport, HasTheNumbersThatArePrintedAndTheImages) {
  const auto printed = nlohmann::json::parse(expect_success(evaluate_ + " --json --report out").out);
  const auto kept = nlohmann::json::parse(content(folder_ / "out/report.json"));
  EXPECT_EQ(kept["stats"], printed["stats"]);
  EXPECT_EQ(kept["categories"], printed["categories"]);
  EXPECT_TRUE(kept.contains("analysis") && kept.contains("errors"));
  EXPECT_FALSE(printed.contains("analysis"));  // was not asked for
  EXPECT_EQ(kept["report"]["run"]["Results"], "r.json");
  EXPECT_EQ(kept["report"]["run"]["Results, SHA-256"].get<std::string>().size(), 64u);
  EXPECT_TRUE(contains(page("out"), "href=\"data:image/jpeg;base64,/9j/"));
  EXPECT_TRUE(contains(content(folder_ / "out/plots/pr_by_iou.svg"), "<svg xmlns="));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "out"), {}), 3);  // and nothing temporary
}

TEST_F(CliReport, IsTheSameEachTimeButForItsDate) {
  expect_success(evaluate_ + " --report one --threads 1");
  expect_success(evaluate_ + " --report two --threads 2");
  EXPECT_EQ(without_date(page("one")), without_date(page("two")));
  EXPECT_EQ(without_date(content(folder_ / "one/report.json")), without_date(content(folder_ / "two/report.json")));
  for (const auto& plot : fs::directory_iterator(folder_ / "one/plots"))
    EXPECT_EQ(content(plot.path()), content(folder_ / "two/plots" / plot.path().filename())) << plot.path();
}

/// A file that may not grow stands for a full disk.
TEST_F(CliReport, ErrorsNameTheFolderAsItWasGiven) {
  const Result full = sh("bash -c 'ulimit -f 4; " + evaluate_ + " --report ./out'");
  EXPECT_EQ(full.code, 4) << full.error;
  EXPECT_TRUE(contains(full.error, "error: ./out/")) << full.error;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(CliReport, DrawsBoxesWithoutImages) {
  expect_success(evaluate_ + " --report out --image-folder data/annotations");
  EXPECT_FALSE(contains(page("out"), "data:image"));
  EXPECT_TRUE(contains(page("out"), "class=\"blank\""));
  EXPECT_TRUE(contains(page("out"), "class=\"box fn\""));
}

TEST_F(CliReport, ReplacesReportsAndNothingElse) {
  expect_success(evaluate_ + " --report out");
  expect_success(evaluate_ + " --report out --categories circle");
  EXPECT_TRUE(contains(page("out"), "Only the categories"));
  std::ofstream(folder_ / "out/notes.txt") << "mine";
  const Result refused = sh(evaluate_ + " --report out");
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(contains(refused.error, "'notes.txt'")) << refused.error;
  EXPECT_EQ(content(folder_ / "out/notes.txt"), "mine");
  std::ofstream(folder_ / "file") << "mine";
  EXPECT_EQ(sh(evaluate_ + " --report file").code, 4);  // no folder
  fs::create_directory(folder_ / "site");
  std::ofstream(folder_ / "site/index.html") << "<html>mine</html>";
  EXPECT_EQ(sh(evaluate_ + " --report site").code, 2);
  EXPECT_EQ(page("site"), "<html>mine</html>");
}

TEST_F(CliReport, FilesOfOtherOptionsAreNotInItsFolder) {
  fs::create_directories(folder_ / "web/plots");
  std::ofstream(folder_ / "web/plots/mine.png") << "mine";
  EXPECT_EQ(sh(evaluate_ + " --report web").code, 2);  // plots without a report's page are anybody's
  EXPECT_EQ(content(folder_ / "web/plots/mine.png"), "mine");
  expect_success(evaluate_ + " --report out --score-threshold 0.5");
  fs::copy_file(folder_ / kAnnotations, folder_ / "out/report.json", fs::copy_options::overwrite_existing);
  for (const std::string& command :
       {std::string("effdet evaluate out/report.json r.json"), evaluate_ + " --arrays out/a.npz"}) {
    const Result refused = sh(command + " --report out");
    EXPECT_EQ(refused.code, 2) << command;
    EXPECT_TRUE(contains(refused.error, "which would be lost")) << refused.error;
  }
  std::ofstream(folder_ / "ids") << "1\n";
  EXPECT_EQ(sh(evaluate_ + " --images ids --arrays ids").code, 2);
  EXPECT_EQ(content(folder_ / "ids"), "1\n");
}

TEST_F(CliReport, HasTheComparison) {
  expect_success("sed 's/0.9/0.5/' r.json > s.json");
  const auto printed =
      nlohmann::json::parse(expect_success(evaluate_ + " --json --report out --against s.json --bootstrap 20").out);
  const auto kept = nlohmann::json::parse(content(folder_ / "out/report.json"));
  EXPECT_EQ(kept["comparison"], printed["comparison"]);
  EXPECT_EQ(kept["report"]["run"]["Against"], "s.json");
  EXPECT_TRUE(contains(page("out"), "<section id=\"comparison\""));
  EXPECT_TRUE(contains(content(folder_ / "out/plots/differences.svg"), "<svg xmlns="));
}

TEST_F(CliReport, QuietRunsSayNothingBesideTheirJson) {
  EXPECT_EQ(expect_success(evaluate_ + " --json --quiet --report out").error, "");
  EXPECT_EQ(
      expect_success("effdet validate data --checkpoint '" EFFDET_SOURCE_DIR
                     "/models/tf_efficientdet_d0_shapes.pth' --img-size 128 --limit 1 --json --quiet --report out/run")
          .error,
      "");
}

TEST_F(CliReport, OfARunSaysWhatRanAndHowFast) {
  expect_success("effdet validate data --checkpoint '" EFFDET_SOURCE_DIR
                 "/models/tf_efficientdet_d0_shapes.pth' --img-size 128 --limit 2 --report out/run");
  const std::string text = page("out/run");
  for (const char* part : {"Speed and accuracy", "Model, SHA-256", "Precision</dt><dd>float32", "2 of 3"})
    EXPECT_TRUE(contains(text, part)) << part;
  const Result refused = sh("effdet validate data --checkpoint m.om --results r2.json --shard 0/2 --report out/shard");
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(contains(refused.error, "--report")) << refused.error;
}

}  // namespace
