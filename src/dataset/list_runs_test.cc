// Runs over lists that go wrong: images and files that fail on the way, callers that throw, journals that cannot be.
#include <atomic>
#include <stdexcept>

#include "dataset/journal_file.h"
#include "dataset/test_support.h"
#include "effdet/detect_images.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

class ListRuns : public testing::Test {
 protected:
  ListRuns() {
    for (int i = 1; i <= 4; ++i)
      list_.push_back({(root_ / fmt::format("val2017/{:012d}.jpg", i)).string(), fmt::format("{}.jpg", i)});
  }
  DetectImagesReport run(const DetectImagesOptions& options, int batch = 1, int threads = 1) const {
    return detect_images(list_, tiny_model(batch), options, threads);
  }
  Error refused(const DetectImagesOptions& options) const {
    return error_of([&] { run(options); });
  }
  /// Whose header can be read, and whose pixels cannot.
  void cut(size_t image) {
    vision::Image noisy(90, 70);
    for (size_t i = 0; i < noisy.pixels().size(); ++i) noisy.pixels()[i] = static_cast<uint8_t>(i * i * 31 >> 5);
    const std::vector<std::byte> png = vision::encode_png(noisy);
    list_[image].file = (folder_ / fmt::format("cut{}.png", image)).string();
    write_file(list_[image].file, std::span(png).first(png.size() / 2));
  }

  TestFolder folder_{"list_runs"};
  fs::path root_ = small_data_set(folder_, 4), results_ = folder_ / "r.json", journal_ = folder_ / "r.json.journal";
  std::vector<ListedImage> list_;
};

TEST_F(ListRuns, ImagesThatFailOnTheWayTakeNoOthersWithThem) {
  const nlohmann::json expected = [&] {
    run({.results = results_});
    return load_json(results_);
  }();
  for (const bool all_pixels : {false, true})
    for (const auto& broken : {std::vector<size_t>{0}, {1}, {2, 3}}) {
      const std::vector<ListedImage> before = list_;
      for (const size_t image : broken) cut(image);
      DetectImagesOptions options{.results = results_};
      if (all_pixels) options.pictures = folder_ / "pictures";
      const DetectImagesReport report = run(options, /*batch=*/2);
      EXPECT_EQ(report.failures.size(), broken.size());
      const nlohmann::json found = load_json(results_);
      size_t next = 0;
      for (size_t i = 0; i < list_.size(); ++i) {
        if (std::ranges::find(broken, i) != broken.end()) continue;
        EXPECT_EQ(found.at(next++)["detections"], expected[i]["detections"]) << i;
      }
      EXPECT_EQ(next, found.size());
      list_ = before;
    }
}

TEST_F(ListRuns, WhereNoImageCanBeUsedNothingStaysButAShard) {
  for (size_t i = 0; i < list_.size(); ++i) cut(i);
  const Error error = refused({.results = results_, .journal = journal_});
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_TRUE(contains(error.what(), "cut0.png")) << error.what();
  EXPECT_FALSE(fs::exists(journal_) || fs::exists(results_));
  refused({.journal = journal_});
  EXPECT_TRUE(fs::exists(journal_));
  std::vector<fs::path> shards;
  for (const size_t index : {0, 1}) {
    shards.push_back(folder_ / std::to_string(index));
    EXPECT_EQ(run({.shard = {index, 2}, .journal = shards.back()}).failures.size(), 2u);
  }
  const Error merged = error_of([&] { merge_detections(shards, results_); });
  EXPECT_TRUE(contains(merged.what(), "cut0.png")) << merged.what();
  EXPECT_FALSE(fs::exists(results_));
}

TEST_F(ListRuns, AMergeHasTheFailuresOfItsShards) {
  cut(2);
  run({.results = results_});
  const std::string expected = read_file(results_);
  std::vector<fs::path> shards;
  for (const size_t index : {0, 1}) {
    shards.push_back(folder_ / std::to_string(index));
    run({.shard = {index, 2}, .journal = shards.back()});
  }
  std::vector<std::string> told;
  const DetectImagesReport report =
      merge_detections(shards, results_, [&](const ImageFailure& failure) { told.push_back(failure.message); });
  EXPECT_EQ(report.images.size(), 3u);
  EXPECT_EQ(report.total, 4u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(contains(told[0], "cut2.png")) << told[0];
  EXPECT_EQ(read_file(results_), expected);
  EXPECT_EQ(merge_detections(shards, {}).images.size(), 3u);
}

TEST_F(ListRuns, TheFirstFailureOfAStrictRunSaysWhatIsKept) {
  cut(3);
  const auto message = [&](const DetectImagesOptions& options) { return std::string(refused(options).what()); };
  EXPECT_FALSE(contains(message({.strict = true}), " has what was found in "));
  const std::string kept = message({.results = results_, .strict = true});
  EXPECT_TRUE(contains(kept, "cut3.png") && contains(kept, "r.json has what was found in 3 of 4 images")) << kept;
  EXPECT_FALSE(contains(kept, "--resume"));
  EXPECT_EQ(load_json(results_).size(), 3u);
  const std::string journal = message({.journal = journal_, .strict = true});
  EXPECT_TRUE(contains(journal, "r.json.journal has what was found in 3 of 4 images; --resume goes on")) << journal;
  cut(0);
  fs::remove(journal_);
  EXPECT_FALSE(contains(message({.journal = journal_, .strict = true}), " has what was found in ")) << "nothing";
}

TEST_F(ListRuns, APictureThatCannotBeWrittenEndsTheRunWithWhatIsDone) {
  make_folder(folder_ / "pictures/2.jpg");
  const Error error = refused({.results = results_, .pictures = folder_ / "pictures", .journal = journal_});
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "2.jpg") && contains(error.what(), "r.json has what was found in ") &&
              contains(error.what(), "--resume goes on with the others"))
      << error.what();
  EXPECT_FALSE(load_json(results_).empty());
  fs::remove(folder_ / "pictures/2.jpg");
  DetectImagesOptions resumed{.results = results_, .pictures = folder_ / "pictures", .journal = journal_};
  resumed.resume = true;
  EXPECT_EQ(run(resumed).images.size(), 4u);
}

TEST_F(ListRuns, WhatACallerThrowsComesBackAndWhatIsDoneStays) {
  DetectImagesOptions options{.results = results_};
  options.progress = [](size_t done, size_t) {
    if (done == 2) throw std::runtime_error("enough");
  };
  EXPECT_THROW(run(options), std::runtime_error);
  EXPECT_GE(load_json(results_).size(), 2u);
}

TEST_F(ListRuns, AJournalThatCannotBeMadeIsNotedBesideResults) {
  std::vector<std::string> notes;
  DetectImagesOptions options{.results = results_, .journal = folder_ / "none/journal"};
  EXPECT_EQ(run(options).images.size(), 4u);
  options.on_note = [&](const std::string& note) { notes.push_back(note); };
  EXPECT_EQ(run(options).images.size(), 4u);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "none/journal") && contains(notes[0], "; this run cannot be resumed")) << notes[0];
  options.resume = true;
  EXPECT_EQ(refused(options).code(), ErrorCode::kIo);
  options.resume = false;
  options.results.clear();
  EXPECT_EQ(refused(options).code(), ErrorCode::kIo) << "the journal would be all that stays";
  options.journal = folder_.path();
  EXPECT_TRUE(contains(refused(options).what(), ": cannot open: "));
}

TEST_F(ListRuns, AJournalOfFailuresAloneIsBegunAnew) {
  const std::vector<ListedImage> whole = list_;
  for (size_t i = 0; i < list_.size(); ++i) write_file(list_[i].file + ".bad", "x");
  for (ListedImage& image : list_) image.file += ".bad";
  refused({.journal = journal_});
  list_ = whole;
  EXPECT_EQ(run({.journal = journal_}).images.size(), 4u);  // of another list, but nothing was kept
  EXPECT_EQ(read_journal(journal_).entries.size(), 4u);
}

TEST_F(ListRuns, ImagesInMemoryAreKnownByTheirSizes) {
  const std::string first = read_file(list_[0].file), second = read_file(list_[1].file);
  const auto in_memory = [](const std::string& file) {
    const auto bytes = std::as_bytes(std::span(file));
    return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  };
  list_.resize(2);
  list_[0].content = in_memory(first);
  list_[1].content = in_memory(second);
  DetectImagesOptions options{.journal = journal_};
  run(options);
  options.resume = true;
  size_t done_before = 0;
  options.on_start = [&](size_t done, size_t, size_t) { done_before = done; };
  EXPECT_EQ(run(options).images.size(), 2u);
  EXPECT_EQ(done_before, 2u);
  list_[1].content = in_memory(second + "x");
  EXPECT_TRUE(contains(refused(options).what(), "000000000002.jpg has changed since it was done"));
}

TEST_F(ListRuns, PicturesThatAreOthersAreMadeAgain) {
  DetectImagesOptions options{.pictures = folder_ / "pictures", .journal = journal_};
  run(options);
  const std::string whole = read_file(folder_ / "pictures/2.jpg");
  write_file(folder_ / "pictures/2.jpg", std::string_view(whole).substr(0, 100));  // as after a loss of power
  options.resume = true;
  size_t done_before = 0;
  options.on_start = [&](size_t done, size_t, size_t) { done_before = done; };
  EXPECT_EQ(run(options).images.size(), 4u);
  EXPECT_EQ(done_before, 3u);
  EXPECT_EQ(read_file(folder_ / "pictures/2.jpg"), whole);
}

TEST_F(ListRuns, OneImagesFailureIsTheErrorAndIsNotToldBesides) {
  list_.resize(1);
  cut(0);
  DetectImagesOptions options;
  options.on_failure = [](const ImageFailure& failure) { ADD_FAILURE() << failure.message; };
  EXPECT_TRUE(contains(refused(options).what(), "cut0.png"));
}

TEST_F(ListRuns, StoppedBeforeTheFirstImageWritesNothing) {
  const std::atomic<bool> stop = true;
  EXPECT_TRUE(run({.results = results_, .stop = &stop}).images.empty());
  EXPECT_FALSE(fs::exists(results_));
}

TEST_F(ListRuns, StoppedOnesHandOnWhatIsDone) {
  std::atomic<bool> stop = false;
  size_t handed_on = 0;
  DetectImagesOptions options{.streams = 3, .stop = &stop};
  options.on_found = [&](const DetectedImage&) { ++handed_on; };
  options.progress = [&](size_t, size_t) { stop = true; };
  EXPECT_EQ(run(options, 1, 3).images.size(), handed_on);
  options.stop = nullptr;
  stop = false;
  handed_on = 0;
  EXPECT_EQ(run(options, 1, /*threads=*/0).images.size(), 4u);  // of all cores
  EXPECT_EQ(handed_on, 4u);
}

TEST_F(ListRuns, OptionsOutOfRangeAreRefused) {
  EXPECT_EQ(refused({.batch = -1}).code(), ErrorCode::kUsage);
  EXPECT_EQ(refused({.draw = {.line_width = 101}}).code(), ErrorCode::kUsage);
  EXPECT_EQ(refused({.results = results_, .format = "xls"}).code(), ErrorCode::kUsage);
  for (const Shard& shard : {Shard{1, 1}, Shard{0, 0}, Shard{0, Shard::kMost + 1}})
    EXPECT_EQ(refused({.shard = shard}).code(), ErrorCode::kUsage) << shard.count;
  list_.clear();
  EXPECT_TRUE(contains(refused({}).what(), "there are no images"));
}

}  // namespace
}  // namespace effdet::dataset
