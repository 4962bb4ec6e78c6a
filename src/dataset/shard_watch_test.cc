// What a process sees of the shard of another one.
#include "effdet/shard_watch.h"

#include "dataset/journal_file.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

const JournalHeader kHeader = journal_header({}, {1, 4}, 10, DataSource("data"));  // images 2 to 4

TEST(ShardWatch, CountsWhatAnotherProcessAppends) {
  const TestFolder folder("watch");
  const fs::path file = folder / "r.json.shard-1-of-4";
  ShardWatch watch(file);
  EXPECT_FALSE(watch.look().is_there);
  std::optional<JournalWriter> writer(std::in_place, file, kHeader);
  const ShardState begun = watch.look();
  EXPECT_TRUE(begun.is_there && begun.is_run);
  EXPECT_EQ(begun.images, 3u);
  EXPECT_EQ(begun.done, 0u);
  EXPECT_EQ(watch.look().changes, begun.changes);
  writer->append({.image_id = 7});
  writer->append({.image_id = 9, .failure = ImageFailure{ErrorCode::kIo, "it is gone"}});
  writer->append({.image_id = 9});  // tried once more
  const ShardState more = watch.look();
  EXPECT_EQ(more.done, 2u);
  EXPECT_GT(more.changes, begun.changes);
  EXPECT_FALSE(more.is_complete());
  writer.reset();
  ShardWatch moved = std::move(watch);
  EXPECT_FALSE(moved.look().is_run);
  writer.emplace(file);
  writer->append({.image_id = 8});
  EXPECT_TRUE(moved.look().is_complete());
  EXPECT_TRUE(moved.look().is_run);
}

TEST(ShardWatch, BeginsAnewWithANewFileAndNeedsNoWholeRecord) {
  const TestFolder folder("watch");
  const fs::path file = folder / "shard";
  { JournalWriter(file, kHeader).append({.image_id = 7}); }
  ShardWatch watch(file);
  const ShardState first = watch.look();
  EXPECT_EQ(first.done, 1u);
  const std::string whole = read_file(file);
  { JournalWriter again(file, kHeader); }
  const ShardState second = watch.look();
  EXPECT_EQ(second.done, 0u);
  EXPECT_GT(second.changes, first.changes);
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    write_file(file, whole.substr(0, bytes));
    EXPECT_EQ(watch.look().done, 0u) << bytes;
  }
  write_file(file, whole);
  EXPECT_EQ(watch.look().done, 1u);
  write_file(file, "no journal, but longer than the one that was there before, so that it is read from its begin on");
  EXPECT_FALSE(watch.look().is_there);
  fs::remove(file);
  EXPECT_FALSE(watch.look().is_there);
}

}  // namespace
}  // namespace effdet::dataset
