// Counts the images in a journal that another process appends to.
#include "effdet/shard_watch.h"

#include <sys/stat.h>

#include <string>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/shard.h"

namespace effdet {

struct ShardWatch::Impl {
  std::filesystem::path file;
  ShardState state = {};
  struct stat seen = {};
  uint64_t offset = 0;  ///< end of the last record that was read
  std::unordered_set<int64_t> ids = {};

  void look() {
    // Before the records: a process that has ended since then has written all of its own.
    state.is_run = dataset::is_written_now(file);
    struct stat now {};
    if (::stat(file.c_str(), &now) != 0) return forget();
    const bool is_other = now.st_ino != seen.st_ino || now.st_dev != seen.st_dev || now.st_size < seen.st_size;
    const bool is_longer = now.st_size != seen.st_size;
    const bool is_touched = now.st_mtim.tv_sec != seen.st_mtim.tv_sec || now.st_mtim.tv_nsec != seen.st_mtim.tv_nsec;
    if (is_other) forget();
    if (is_other || is_longer || is_touched) ++state.changes;
    if (is_other || is_longer) read();
    seen = now;
  }

  void forget() {
    seen = {};
    offset = 0;
    ids.clear();
    state = {.is_run = state.is_run, .changes = state.changes};
  }

  void read() try {
    const MappedFile content(file);
    dataset::RecordReader records(content.bytes(), content.path(), offset);
    while (const auto record = records.next()) {
      if (!state.is_there) {
        const dataset::JournalHeader header = dataset::parse_header(*record, content.path());
        state.is_there = true;
        state.images = dataset::begin_of(header.total, header.shard, 1) - dataset::begin_of(header.total, header.shard);
      } else {
        ids.insert(dataset::parse_entry(*record, content.path(), offset).image_id);
      }
      offset = records.offset();
    }
    state.done = ids.size();
  } catch (const Error&) {
    forget();
  }
};

ShardWatch::ShardWatch(std::filesystem::path file) : impl_(new Impl{std::move(file)}) {}
ShardWatch::~ShardWatch() = default;
ShardWatch::ShardWatch(ShardWatch&&) noexcept = default;

ShardState ShardWatch::look() {
  impl_->look();
  return impl_->state;
}

}  // namespace effdet
