// Records of a journal that are whole, but hold what no run writes; and whose journals belong together.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/run_journal.h"
#include "dataset/shard_files.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

template <typename Number>
std::string bytes_of_number(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// A record of that content, with the checks that belong to it.
std::string with_checks(const std::string& content) {
  const auto length = static_cast<uint32_t>(content.size());
  return bytes_of_number(length) + bytes_of_number(static_cast<uint32_t>(XXH3_64bits(&length, sizeof length))) +
         content + bytes_of_number(uint64_t{XXH3_64bits(content.data(), content.size())});
}

std::string content_of(const std::string& record) { return record.substr(8, record.size() - 16); }

JournalHeader dataset_header() { return journal_header({1, 2, 3}, {0, 1}, 10, DataSource("data")); }
JournalHeader list_header() { return journal_header({1, 2, 3}, {0, 1}, 10, std::vector<std::string>{"cat", "dog"}); }

class JournalRecords : public testing::Test {
 protected:
  /// Of a journal with these records.
  Error refused(const std::string& records) const {
    write_file(file_, std::string(kJournalMagic) + records, /*sync=*/false);
    return error_of([&] { read_journal(file_); });
  }
  void expect_refused(const std::string& records, std::string_view message) const {
    const Error error = refused(records);
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_TRUE(contains(error.what(), message) && contains(error.what(), "journal: ")) << error.what();
  }

  TestFolder folder_{"journal_record"};
  fs::path file_ = folder_ / "journal";
};

TEST_F(JournalRecords, OfAnotherVersionAreRefusedByTheirNumber) {
  std::string content = content_of(record_of(dataset_header()));
  content.replace(0, 4, bytes_of_number(kJournalVersion + 1));
  const Error error = refused(with_checks(content));
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(error.what(),
                       fmt::format("format version {}, this program reads {}", kJournalVersion + 1, kJournalVersion)))
      << error.what();
}

TEST_F(JournalRecords, HeadersThatNoRunWritesAreRefused) {
  const auto refused_header = [&](auto change, std::string_view message) {
    JournalHeader header = dataset_header();
    change(header);
    expect_refused(record_of(header), message);
  };
  refused_header([](auto& header) { header.shard = {2, 2}; }, "record at offset 8: bad shard");
  refused_header([](auto& header) { header.shard = {0, Shard::kMost + 1}; }, "bad shard");
  refused_header([](auto& header) { header.total = (uint64_t{1} << 40) + 1; }, "bad number of images");
  refused_header([](auto& header) { header.data.root = std::string("a\0b", 3); }, "bad text");
  const std::string content = content_of(record_of(dataset_header()));
  expect_refused(with_checks(content + "x"), "bad length");
  expect_refused(with_checks(content.substr(0, content.size() - 1)), "bad length");
  expect_refused(with_checks(""), "bad length");
  std::string kind = content;
  kind[8 + dataset_header().program.size()] = 2;
  expect_refused(with_checks(kind), "bad kind");
  JournalHeader list = list_header();
  list.class_names.clear();
  std::string many = content_of(record_of(list));
  many.replace(many.size() - 4, 4, bytes_of_number(uint32_t{(1 << 20) + 1}));
  expect_refused(with_checks(many), "bad number of classes");
}

TEST_F(JournalRecords, EntriesThatNoRunWritesAreRefusedWithTheirOffset) {
  const std::string header = record_of(list_header());
  const auto refused_entry = [&](const JournalEntry& entry, std::string_view message, std::string_view more = "") {
    expect_refused(header + with_checks(content_of(record_of(entry)) + std::string(more)),
                   fmt::format("record at offset {}: bad {}", kJournalMagic.size() + header.size(), message));
  };
  const JournalEntry failed{.image_id = 1, .failure = ImageFailure{ErrorCode::kBadInput, "x"}};
  JournalEntry wrong_code = failed;
  wrong_code.failure->code = ErrorCode::kUsage;  // that ends a run, and is of no image
  refused_entry(wrong_code, "error code");
  refused_entry(failed, "length", "x");
  refused_entry({.image_id = 1, .results = {{1, {1, 2, 3, 4}, 0.5, 1}}}, "length", "x");
  JournalEntry found{.image_id = 1, .found = DetectedImage{"a.jpg", "", 4, 3, {{0, 0, 1, 1, 0.5f, 1}}}};
  refused_entry(found, "length", "x");
  for (const auto& [width, height] : {std::pair(0, 3), {4, -1}}) {
    found.found->width = width;
    found.found->height = height;
    refused_entry(found, "size");
  }
}

TEST_F(JournalRecords, HoldAllThatIsKnownOfAnImage) {
  const JournalEntry found{.image_id = 4,
                           .file_bytes = 77,
                           .faults = {.nan_scores = true, .not_finite_box = false},
                           .found = DetectedImage{"s.tar/a.jpg", "out/a.jpg", 40, 30, {{1, 2, 3, 4, 0.5f, 2}}, "a"},
                           .picture_bytes = 99};
  const JournalEntry results{
      .image_id = 5, .faults = {.nan_scores = false, .not_finite_box = true}, .results = {{5, {1, 2, 3, 4}, 0.5, 9}}};
  write_file(file_, std::string(kJournalMagic) + record_of(list_header()) + record_of(found) + record_of(results));
  const JournalContent content = read_journal(file_);
  ASSERT_EQ(content.entries.size(), 2u);
  EXPECT_EQ(content.header.class_names, list_header().class_names);
  const JournalEntry& first = content.entries[0];
  EXPECT_TRUE(first.faults.nan_scores && !first.faults.not_finite_box);
  EXPECT_EQ(first.found->key, "a");
  EXPECT_EQ(first.found->picture, "out/a.jpg");
  EXPECT_EQ(first.picture_bytes, 99u);
  EXPECT_EQ(first.found->detections.at(0).category, 2);
  EXPECT_TRUE(content.entries[1].faults.not_finite_box && !content.entries[1].faults.nan_scores);
  EXPECT_EQ(content.entries[1].results.at(0).category_id, 9);
  EXPECT_FALSE(content.entries[1].found.has_value());
}

/// Images 0 to 1 of a run.
struct TwoImages : JournalImages {
  size_t count() const override { return 2; }
  int64_t id(size_t i) const override { return static_cast<int64_t>(i); }
  bool accepts(const JournalEntry& entry) const override { return is_of_list(entry, 2); }
};

TEST_F(JournalRecords, AnImageThatWasDoneOnceIsDone) {
  const auto done_of = [](std::vector<JournalEntry> entries) {
    return entries_by_image({list_header(), std::move(entries), 0}, TwoImages(), "journal");
  };
  const JournalEntry failed{.image_id = 1, .failure = ImageFailure{ErrorCode::kIo, "gone"}};
  JournalEntry found{.image_id = 1, .found = DetectedImage{"a.jpg", "", 4, 3, {{0, 0, 1, 1, 0.5f, 2}}}};
  for (const auto& entries : {std::vector{failed, found}, {found, failed}, {found}}) {
    const auto done = done_of(entries);
    EXPECT_FALSE(done.at(0).has_value());
    ASSERT_TRUE(done.at(1).has_value());
    EXPECT_FALSE(done[1]->failure.has_value());
  }
  EXPECT_TRUE(done_of({failed}).at(1)->failure.has_value());
  for (const int category : {0, -1, 3}) {  // of two classes
    found.found->detections[0].category = category;
    EXPECT_TRUE(
        contains(bad_input_message([&] { done_of({found}); }), "journal: has images or categories that the run"));
  }
  EXPECT_FALSE(bad_input_message([&] { done_of({{.image_id = 2}}); }).empty());
}

TEST_F(JournalRecords, ShardsOfOtherRunsDoNotBelongTogether) {
  const auto write = [&](const char* name, JournalHeader header, size_t shard) {
    header.shard = {shard, 2};
    write_file(folder_ / name, std::string(kJournalMagic) + record_of(header));
    return folder_ / name;
  };
  const auto refused_shards = [&](const JournalHeader& header, auto change, std::string_view message) {
    JournalHeader other = header;
    change(other);
    const std::vector<fs::path> files{write("a", header, 0), write("b", other, 1)};
    const std::string found = bad_input_message([&] { read_shards(files, header.kind); });
    EXPECT_TRUE(contains(found, "b do not belong together: ") && contains(found, message)) << found;
  };
  refused_shards(
      dataset_header(), [](auto& h) { h.program = "0.1"; }, "they are of different versions of effdet");
  refused_shards(
      dataset_header(), [](auto& h) { h = list_header(); }, "one is of a data set, the other one of a list");
  refused_shards(
      dataset_header(), [](auto& h) { h.key.data = 9; }, "they are of different annotations");
  refused_shards(
      list_header(), [](auto& h) { h.key.data = 9; }, "they are of different images");
  refused_shards(
      list_header(), [](auto& h) { h.key.model = 9; }, "they are of different models or kinds of processors");
  refused_shards(
      list_header(), [](auto& h) { h.key.options = 9; }, "they are of runs with different options");
  refused_shards(
      list_header(), [](auto& h) { h.total = 9; }, "they are of runs with different options");
  EXPECT_TRUE(contains(bad_input_message([&] { read_shards({write("a", dataset_header(), 0)}, RunKind::kList); }),
                       "a: is a shard of a data set"));
}

TEST_F(JournalRecords, ManyMissingShardsAreNotAllNamed) {
  std::vector<Shard> missing;
  for (size_t i = 0; i < 40; ++i) missing.push_back({i, 64});
  const std::string text = missing_text(missing);
  EXPECT_TRUE(text.starts_with("40 of 64 shards missing: 0/64, 1/64") && text.ends_with(", ...")) << text;
  EXPECT_EQ(missing_text({{3, 4}}), "1 of 4 shards missing: 3/4");
  EXPECT_EQ(first_of_many({"a", "b"}, 2), "a, b");
  EXPECT_EQ(first_of_many({"a", "b"}, 5), "a, b and 3 more");
}

}  // namespace
}  // namespace effdet::dataset
