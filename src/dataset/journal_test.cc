// Runs that end early and are resumed: nothing done is lost, and the results are those of an uninterrupted run.
#include <atomic>

#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/test_support.h"
#include "effdet/detect_images.h"

namespace effdet::dataset {
namespace {

/// A run over a data set of five images, its results and its whole journal.
class Journal : public testing::Test {
 protected:
  void SetUp() override {
    expected_stats_ = validate({.results = results_}).evaluation.stats;
    expected_ = read_file(results_);
    EXPECT_FALSE(fs::exists(journal_));  // it goes with the end of the run
    validate({.journal = journal_});
    whole_ = read_file(journal_);
    fs::remove(results_);
  }

  ValidateReport validate(const ValidateOptions& options, int batch = 1) const {
    return validate_dataset(root_, tiny_model(batch), options, 2);
  }
  ValidateOptions resumed() const { return {.results = results_, .journal = journal_, .resume = true}; }
  /// Refused, and the journal is as it was.
  Error refused(const ValidateOptions& options, int batch = 1) const {
    const std::string before = read_file(journal_);
    const Error error = error_of([&] { validate(options, batch); });
    EXPECT_EQ(read_file(journal_), before);
    return error;
  }

  TestFolder folder_{"journal"};
  fs::path root_ = small_data_set(folder_, 5), results_ = folder_ / "r.json", journal_ = folder_ / "r.json.journal";
  std::string expected_, whole_;
  std::array<double, 12> expected_stats_{};
};

/// Ends of the header and of each image's record.
std::vector<size_t> ends_of(const std::string& journal) {
  RecordReader records(std::as_bytes(std::span(journal)), "whole");
  std::vector<size_t> ends;
  while (records.next()) ends.push_back(records.offset());
  return ends;
}

TEST_F(Journal, GoesOnFromEveryRecordWhereverTheNextOneIsTorn) {
  const std::vector<size_t> ends = ends_of(whole_);
  ASSERT_EQ(ends.size(), 6u);
  for (size_t done = 0; done < ends.size(); ++done)
    for (const size_t torn : {0, 5, 20}) {
      if (ends[done] + torn > whole_.size()) continue;
      write_file(journal_, whole_.substr(0, ends[done] + torn));
      size_t begun_with = 99, run = 0;
      ValidateOptions options = resumed();
      options.on_start = [&](const ValidateStart& start) { begun_with = start.done; };
      options.progress = [&](size_t, size_t, double) { ++run; };
      EXPECT_EQ(validate(options).evaluation.stats, expected_stats_);
      EXPECT_EQ(read_file(results_), expected_) << done << ' ' << torn;
      EXPECT_EQ(begun_with, done);
      EXPECT_EQ(run, 5 - done);
      EXPECT_FALSE(fs::exists(journal_));
    }
}

TEST_F(Journal, ReadsWholeRecordsOfEveryCut) {
  const std::vector<size_t> ends = ends_of(whole_);
  for (size_t bytes = 0; bytes <= whole_.size(); bytes += bytes < ends[0] + 40 ? 1 : 31) {
    write_file(journal_, whole_.substr(0, bytes), /*sync=*/false);
    if (bytes < ends[0]) {
      EXPECT_TRUE(contains(bad_input_message([&] { read_journal(journal_); }), "remove it to begin anew")) << bytes;
      continue;
    }
    const JournalContent content = read_journal(journal_);
    const auto done = std::ranges::upper_bound(ends, bytes) - ends.begin() - 1;
    EXPECT_EQ(content.entries.size(), static_cast<size_t>(done)) << bytes;
    EXPECT_EQ(content.bytes, ends[static_cast<size_t>(done)]);
  }
}

TEST_F(Journal, FindsDamageBeforeTheLastRecord) {
  const std::vector<size_t> ends = ends_of(whole_);
  for (size_t at = 0; at < ends[ends.size() - 2]; at += at < ends[0] + 40 ? 1 : 53) {
    std::string damaged = whole_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write_file(journal_, damaged, /*sync=*/false);
    EXPECT_TRUE(contains(bad_input_message([&] { read_journal(journal_); }), "to begin anew")) << at;
  }
  std::string last = whole_;
  last.back() = static_cast<char>(last.back() ^ 1);  // a page that was not written
  write_file(journal_, last + std::string(100, '\0'));
  EXPECT_TRUE(contains(bad_input_message([&] { read_journal(journal_); }), "is damaged"));
  write_file(journal_, last);
  EXPECT_EQ(read_journal(journal_).entries.size(), 4u);
  write_file(journal_, whole_ + std::string(100, '\0'));
  EXPECT_EQ(read_journal(journal_).entries.size(), 5u);
}

TEST_F(Journal, IsOfOneRun) {
  write_file(journal_, whole_);
  ValidateOptions options = resumed();
  options.resume = false;
  EXPECT_TRUE(contains(refused(options).what(), "keeps 5 finished images of an earlier run: --resume goes on"));
  EXPECT_TRUE(contains(refused(resumed(), /*batch=*/2).what(), "is of another model"));
  options = resumed();
  options.detect.iou_threshold = 0.6f;
  EXPECT_TRUE(contains(refused(options).what(), "is of other options"));
  options = resumed();
  options.shard = {1, 2};
  EXPECT_TRUE(contains(refused(options).what(), "is of shard 0/1, this is 1/2"));
  options.shard = {2, 2};
  EXPECT_EQ(refused(options).code(), ErrorCode::kUsage);

  JournalContent content = read_journal(journal_);
  content.header.program = "0.0.1";
  write_file(journal_, std::string(kJournalMagic) + record_of(content.header));
  EXPECT_TRUE(contains(refused(resumed()).what(), "is of version 0.0.1 of effdet"));

  write_file(journal_, whole_);
  write_file(root_ / "val2017/000000000002.jpg", read_file(root_ / "val2017/000000000002.jpg") + "x");
  EXPECT_TRUE(contains(refused(resumed()).what(), "000000000002.jpg has changed since it was done"));
  edit_annotations(root_, [](auto& json) { json["annotations"][0]["bbox"][0] = 1.5; });
  EXPECT_TRUE(contains(refused(resumed()).what(), "is of other annotations"));
}

TEST_F(Journal, OfAListOrOfImagesThatAreNotListedIsRefused) {
  fs::remove(journal_);
  const ListedImage image{(root_ / "val2017/000000000001.jpg").string(), ""};
  detect_images(std::vector<ListedImage>{image}, tiny_model(), {.journal = journal_}, 1);
  EXPECT_TRUE(contains(refused(resumed()).what(), "is of a run over a list of images"));
  fs::remove(journal_);
  DataSource listed(root_);
  for (int id = 1; id <= 5; ++id)
    listed.listed.push_back({(root_ / "val2017" / fmt::format("{:012}.jpg", id)).string(), ""});
  validate_dataset(listed, tiny_model(), {.journal = journal_}, 1);
  listed.listed.pop_back();
  const Error error = error_of([&] { validate_dataset(listed, tiny_model(), resumed(), 1); });
  EXPECT_TRUE(contains(error.what(), "000000000005.jpg has changed since it was done")) << error.what();
}

TEST_F(Journal, IsWrittenByOneProcess) {
  write_file(journal_, whole_);
  const JournalWriter other(journal_);
  EXPECT_TRUE(contains(refused(resumed()).what(), "another process writes it now"));
}

TEST_F(Journal, HoldsNothingThatTheDataHasNot) {
  JournalContent content = read_journal(journal_);
  JournalEntry entry = content.entries.front();
  ASSERT_FALSE(entry.results.empty());
  const std::string header = std::string(kJournalMagic) + record_of(content.header);
  entry.results.front().category_id = INT64_MIN + 1;  // as if it stood for a string
  write_file(journal_, header + record_of(entry));
  EXPECT_TRUE(contains(refused(resumed()).what(), "images or categories that the run has not"));
  entry = content.entries.front();
  entry.found.emplace();  // as if it were of a list
  entry.found->width = entry.found->height = 9;
  write_file(journal_, header + record_of(entry));
  EXPECT_TRUE(contains(refused(resumed()).what(), "images or categories that the run has not"));
  entry = content.entries.front();
  entry.image_id = 1000;
  write_file(journal_, header + record_of(entry));
  EXPECT_EQ(refused(resumed()).code(), ErrorCode::kBadInput);
}

TEST_F(Journal, KeepsWhatIsDoneWhereARunIsStopped) {
  fs::remove(journal_);
  std::atomic<bool> stop = false;
  ValidateOptions options{.results = results_, .journal = journal_, .stop = &stop};
  options.progress = [&](size_t, size_t, double) { stop = true; };
  EXPECT_LT(validate(options).evaluation.images, 5u);
  EXPECT_TRUE(fs::exists(results_));
  EXPECT_EQ(validate(resumed()).evaluation.stats, expected_stats_);
  EXPECT_EQ(read_file(results_), expected_);
}

TEST_F(Journal, ImagesThatFailedAreDoneOnceMore) {
  fs::remove(journal_);
  const fs::path image = root_ / "val2017/000000000003.jpg", away = folder_ / "away.jpg";
  fs::rename(image, away);
  ValidateOptions options{.results = results_, .journal = journal_, .strict = true};
  const Error error = error_of([&] { validate(options); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(contains(error.what(), "000000000003.jpg")) << error.what();
  const ValidateReport without = validate(resumed());  // not strict: it goes on
  EXPECT_EQ(without.evaluation.images, 4u);
  EXPECT_EQ(without.failures.size(), 1u);
  EXPECT_FALSE(fs::exists(journal_));

  EXPECT_EQ(validate({.journal = journal_}).failures.size(), 1u);  // a shard: its journal stays
  fs::rename(away, image);
  EXPECT_EQ(validate(resumed()).evaluation.images, 5u);
  EXPECT_EQ(read_file(results_), expected_);
}

TEST_F(Journal, GoesWhereNothingWasDone) {
  fs::remove(journal_);
  fs::remove_all(root_ / "val2017");
  fs::create_directory(root_ / "val2017");
  EXPECT_THROW(validate(resumed()), Error);
  EXPECT_FALSE(fs::exists(journal_));
}

}  // namespace
}  // namespace effdet::dataset
