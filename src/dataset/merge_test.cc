// Shards of a data set, and their results together.
#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

class Merge : public testing::Test {
 protected:
  ValidateReport run(const Shard& shard, const ValidateOptions& options = {}) const {
    ValidateOptions all = options;
    all.shard = shard;
    all.journal = shard_file(results_, shard);
    return validate_dataset(root_, tiny_model(), all, 2);
  }
  /// Runs all shards, and gives their files in another order.
  std::vector<fs::path> run_all(size_t count, const ValidateOptions& options = {}) const {
    std::vector<fs::path> files;
    for (size_t i = count; i-- > 0;) {
      run({i, count}, options);
      files.push_back(shard_file(results_, {i, count}));
    }
    return files;
  }
  std::string refused(const std::vector<fs::path>& files) const {
    return bad_input_message([&] { merge_shards(files, {.results = results_}); });
  }

  TestFolder folder_{"merge"};
  fs::path root_ = small_data_set(folder_, 6), results_ = folder_ / "r.json";
};

TEST_F(Merge, EqualsOneRun) {
  const ValidateReport one = validate_dataset(root_, tiny_model(2), {.results = folder_ / "one.json"});
  for (const size_t count : {1, 2, 4, 9}) {  // of nine, three have no images
    const ValidateReport merged = merge_shards(run_all(count), {.results = results_});
    EXPECT_EQ(merged.evaluation.stats, one.evaluation.stats);
    EXPECT_EQ(merged.evaluation.images, 6u);
    EXPECT_EQ(merged.total, 6u);
    EXPECT_EQ(read_file(results_), read_file(folder_ / "one.json")) << count;
  }
}

TEST_F(Merge, HasTheLimitAndTheFailuresOfItsShards) {
  fs::remove(root_ / "val2017/000000000002.jpg");
  const ValidateReport one = validate_dataset(root_, tiny_model(), {.results = folder_ / "one.json", .limit = 5});
  std::vector<std::string> told;
  MergeOptions options{.results = results_};
  options.on_failure = [&](const ImageFailure& failure) { told.push_back(failure.message); };
  const ValidateReport merged = merge_shards(run_all(2, {.limit = 5}), options);
  EXPECT_EQ(merged.total, 5u);
  EXPECT_EQ(merged.evaluation.images, 4u);
  EXPECT_EQ(merged.evaluation.stats, one.evaluation.stats);
  ASSERT_EQ(merged.failures.size(), 1u);
  EXPECT_TRUE(contains(told.at(0), "000000000002.jpg"));
  EXPECT_EQ(read_file(results_), read_file(folder_ / "one.json"));
}

TEST_F(Merge, NeedsAllShardsWhole) {
  std::vector<fs::path> files = run_all(4);
  const std::vector<fs::path> some{files[0], files[2]};
  EXPECT_TRUE(contains(refused(some), "2 of 4 shards missing: 0/4, 2/4, with 2 images (ids 1, 4); run them"))
      << refused(some);
  std::string cut = read_file(files[1]);
  cut.resize(cut.size() - 10);
  write_file(files[1], cut);
  const std::string message = refused(files);
  EXPECT_TRUE(contains(message, "shard-2-of-4 lacks 1 of 1 images (ids 4); finish with --resume")) << message;
  EXPECT_FALSE(fs::exists(results_));
  EXPECT_EQ(run({2, 4}, {.resume = true}).evaluation.images, 1u);
  EXPECT_EQ(merge_shards(files, {.results = results_}).evaluation.images, 6u);
}

TEST_F(Merge, TakesADataSetThatWasMoved) {
  const std::vector<fs::path> files = run_all(2);
  const Evaluation expected = merge_shards(files, {.results = results_}).evaluation;
  const std::string results = read_file(results_);
  fs::rename(root_, folder_ / "moved");
  EXPECT_EQ(error_of([&] { merge_shards(files, {}); }).code(), ErrorCode::kIo);
  const fs::path annotations = annotations_of(folder_ / "moved");
  for (const MergeOptions& options :
       {MergeOptions{.results = results_, .root = folder_ / "moved"},
        MergeOptions{.results = results_, .root = {}, .annotations = annotations},
        MergeOptions{.results = results_, .root = {}, .annotations = annotations, .images = folder_ / "none"}}) {
    fs::remove(results_);
    EXPECT_EQ(merge_shards(files, options).evaluation.stats, expected.stats);
    EXPECT_EQ(read_file(results_), results);
  }
}

TEST_F(Merge, OfNoImageThatCanBeUsedIsItsFirstFailure) {
  for (const auto& entry : fs::directory_iterator(root_ / "val2017")) fs::remove(entry.path());
  const std::vector<fs::path> files = run_all(2);
  const Error error = error_of([&] { merge_shards(files, {.results = results_}); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), ".jpg")) << error.what();
  EXPECT_FALSE(fs::exists(results_));
}

TEST_F(Merge, RefusesWhatDoesNotBelongTogether) {
  const std::vector<fs::path> two = run_all(2);
  const fs::path copy = folder_ / "copy";
  fs::copy(two[0], copy);
  EXPECT_TRUE(contains(refused({two[0], two[1], copy}), "are both shard 1/2; give one of them"));
  EXPECT_TRUE(contains(refused({two[0], run_all(4)[3]}), "do not belong together: they are shards 1/2 and 0/4"));
  fs::remove(two[1]);
  run({0, 2}, {.detect = {.soft_nms = true}});
  EXPECT_TRUE(contains(refused(two), "runs with different options"));
  EXPECT_EQ(error_of([] { merge_shards({}, {}); }).code(), ErrorCode::kUsage);

  fs::remove(two[0]);
  const std::vector<fs::path> all_nine = run_all(9);
  std::vector<fs::path> nine(all_nine.begin() + 1, all_nine.end());
  EXPECT_TRUE(contains(refused(nine), "1 of 9 shards missing: 8/9, with 1 images (ids 6); run them")) << refused(nine);
  nine.assign(all_nine.begin(), all_nine.end() - 1);
  EXPECT_TRUE(contains(refused(nine), "1 of 9 shards missing: 0/9, with 0 images; run them")) << refused(nine);

  const std::vector<fs::path> one = run_all(1);
  JournalHeader header = read_journal_header(one[0]);
  header.total = 7;  // of six images
  write_file(one[0], std::string(kJournalMagic) + record_of(header));
  EXPECT_TRUE(contains(refused(one), "not the annotations that")) << refused(one);
  header.total = 0;  // which no run has
  write_file(one[0], std::string(kJournalMagic) + record_of(header));
  EXPECT_TRUE(contains(refused(one), "lacks 6 of 6 images")) << refused(one);
  fs::remove(one[0]);
  run({0, 1});
  edit_annotations(root_, [](auto& json) { json["annotations"][0]["bbox"][0] = 1.5; });
  EXPECT_TRUE(contains(refused(one), "not the annotations that")) << refused(one);
}

}  // namespace
}  // namespace effdet::dataset
