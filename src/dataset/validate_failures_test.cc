// Validation that goes wrong: images that cannot be used, files that cannot be written, callers that throw.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

TEST(Validate, GoesOnWithoutImagesThatCannotBeUsed) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 9), results = folder / "r.json";
  validate_dataset(root, tiny_model(1), {.results = results});
  nlohmann::json expected = load_json(results);
  for (const int id : {1, 5, 9}) fs::resize_file(root / "val2017" / fmt::format("{:012}.jpg", id), 300);
  std::erase_if(*expected.get_ptr<nlohmann::json::array_t*>(),
                [](const auto& result) { return result["image_id"].template get<int>() % 4 == 1; });
  for (const int batch : {1, 4}) {
    for (const int streams : {1, 2}) {
      std::vector<std::string> told;
      ValidateOptions options{.results = results, .pictures = folder / "images", .streams = streams};
      options.on_failure = [&](const ImageFailure& failure) { told.push_back(failure.message); };
      const ValidateReport report = validate_dataset(root, tiny_model(batch), options, 2);
      EXPECT_EQ(report.total, 9u);
      EXPECT_EQ(report.evaluation.images, 6u);
      ASSERT_EQ(report.failures.size(), 3u);
      EXPECT_EQ(report.failures[0].code, ErrorCode::kBadInput);
      EXPECT_EQ(told.size(), 3u);
      for (const int id : {1, 5, 9})
        EXPECT_TRUE(std::ranges::any_of(told, [&](const std::string& message) {
          return contains(message, fmt::format("{:012}.jpg: ", id));
        })) << id;
      EXPECT_EQ(load_json(results), expected) << batch << ' ' << streams;
    }
  }
}

TEST(Validate, FailsWhereNoImageCanBeUsed) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2), results = folder / "r.json";
  for (const auto& entry : fs::directory_iterator(root / "val2017")) fs::remove(entry.path());
  const Error error = error_of([&] { validate_dataset(root, tiny_model(1), {.results = results}); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_FALSE(fs::exists(results));
}

TEST(Validate, KeepsTheResultsOfFinishedImagesWhereItFails) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 8), results = folder / "r.json", images = folder / "images";
  make_folder(images / "000000000005.jpg");  // a folder, where an image is to be written
  const ValidateOptions options{.results = results, .pictures = images};
  const Error error = error_of([&] { validate_dataset(root, tiny_model(1), options, 1); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "r.json has the results of ") && contains(error.what(), " of 8 images"))
      << error.what();
  EXPECT_FALSE(load_json(results).empty());
}

TEST(Validate, AnImageThatIsGoneBeforeItIsDrawnIsAFailure) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 3);
  ValidateOptions options{.pictures = folder / "images", .picture_threshold = 0};
  options.progress = [&](size_t done, size_t, double) {  // between the network and its decoding
    if (done == 2) fs::remove(root / "val2017/000000000002.jpg");
  };
  const ValidateReport report = validate_dataset(root, tiny_model(1), options, 1);
  EXPECT_EQ(report.evaluation.images, 2u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_TRUE(contains(report.failures[0].message, "000000000002.jpg")) << report.failures[0].message;
  EXPECT_TRUE(fs::exists(folder / "images/000000000003.jpg") && !fs::exists(folder / "images/000000000002.jpg"));
}

TEST(Validate, AStrictRunWithoutFilesEndsWithTheFailureAlone) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 4), journal = folder / "journal";
  fs::remove(root / "val2017/000000000004.jpg");
  const auto message = [&](const ValidateOptions& options) {
    return std::string(error_of([&] { validate_dataset(root, tiny_model(1), options, 1); }).what());
  };
  EXPECT_FALSE(contains(message({.strict = true}), " has the results of "));
  const std::string kept = message({.journal = journal, .strict = true});
  EXPECT_TRUE(contains(kept, "journal has the results of ") && contains(kept, "--resume goes on with the others"))
      << kept;
  fs::remove(root / "val2017/000000000001.jpg");
  EXPECT_FALSE(contains(message({.results = folder / "r.json", .strict = true}), " has the results of ")) << "nothing";
  EXPECT_FALSE(fs::exists(folder / "r.json"));
}

TEST(Validate, AShardWithoutUsableImagesIsKept) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 2), journal = folder / "journal";
  for (const auto& entry : fs::directory_iterator(root / "val2017")) fs::remove(entry.path());
  EXPECT_THROW(validate_dataset(root, tiny_model(1), {.journal = journal}), Error);
  EXPECT_TRUE(fs::exists(journal));
}

TEST(Validate, OptionsOutOfRangeAreRefused) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 1);
  const auto code = [&](const ValidateOptions& options) {
    return error_of([&] { validate_dataset(root, tiny_model(1), options); }).code();
  };
  for (const float threshold : {-0.1f, 1.1f, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_EQ(code({.picture_threshold = threshold}), ErrorCode::kUsage) << threshold;
  EXPECT_EQ(code({.analysis = AnalysisOptions{.calibration_bins = 0}}), ErrorCode::kUsage);
  EXPECT_EQ(code({.detect = {.iou_threshold = 2}}), ErrorCode::kUsage);
}

TEST(Validate, WhatACallerThrowsComesBackAndWhatIsDoneStays) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 6), results = folder / "r.json";
  ValidateOptions options{.results = results};
  options.progress = [](size_t done, size_t, double) {
    if (done == 4) throw std::runtime_error("enough");
  };
  EXPECT_THROW(validate_dataset(root, tiny_model(1), options, 1), std::runtime_error);
  EXPECT_FALSE(load_json(results).empty());
}

TEST(Validate, PassesOnWhatTheCallersFunctionThrows) {
  const TestFolder folder("pipeline");
  const fs::path root = small_data_set(folder, 6);
  ValidateOptions options;
  options.progress = [](size_t done, size_t, double) {
    if (done == 3) throw Error(ErrorCode::kUsage, "enough");
  };
  EXPECT_STREQ(error_of([&] { validate_dataset(root, tiny_model(1), options); }).what(), "enough");
}

}  // namespace
}  // namespace effdet::dataset
