// Joins the journals of a list's shards to what one run finds.
#include <unordered_set>

#include "base/error.h"
#include "dataset/detections_file.h"
#include "dataset/failures.h"
#include "dataset/run_journal.h"
#include "dataset/shard.h"
#include "dataset/shard_files.h"
#include "detection/fault_log.h"
#include "effdet/detect_images.h"

namespace effdet::dataset {
namespace {

/// The images of a shard, as its header tells them.
class ShardOfList : public JournalImages {
 public:
  explicit ShardOfList(const JournalHeader& header)
      : first_(begin_of(header.total, header.shard)),
        count_(begin_of(header.total, header.shard, 1) - first_),
        classes_(header.class_names.size()) {}

  size_t count() const override { return count_; }
  int64_t id(size_t i) const override { return static_cast<int64_t>(first_ + i); }
  bool accepts(const JournalEntry& entry) const override { return is_of_list(entry, classes_); }

 private:
  size_t first_, count_, classes_;
};

class ListMerger {
 public:
  ListMerger(const std::vector<std::filesystem::path>& paths, const OnFailure& on_failure)
      : files_(read_shards(paths, RunKind::kList)), log_(on_failure, files_[0].header().total) {
    if (const std::vector<Shard> missing = shards_without(files_); !missing.empty())
      bad_input("{}; run them, and give their files", missing_text(missing));
  }

  DetectImagesReport run(const std::filesystem::path& results, const std::string& format) {
    DetectImagesReport report;
    report.total = files_[0].header().total;
    report.class_names = files_[0].header().class_names;
    std::vector<std::string> unfinished;
    for (ShardFile& file : files_) {
      const ShardOfList part(file.header());
      if (const size_t left = add(part, std::move(file), report.images); left > 0)
        unfinished.push_back(fmt::format("{} lacks {} of {} images", file.name, left, part.count()));
    }
    if (!unfinished.empty())
      bad_input("{}; finish with --resume what was not finished", first_of_many(unfinished, unfinished.size()));
    log_.require_some();
    report.failures = log_.failures();
    report.warning = faults_.text();
    if (!results.empty() && !report.images.empty())
      write_detections_file(results, report.images, report.class_names, format);
    return report;
  }

 private:
  /// Returns how many images are neither done nor failed.
  size_t add(const ShardOfList& part, ShardFile&& file, std::vector<DetectedImage>& images) {
    // Before memory is taken for as many images as the header says.
    std::unordered_set<int64_t> ids;
    for (const JournalEntry& entry : file.content.entries) ids.insert(entry.image_id);
    if (ids.size() < part.count()) return part.count() - ids.size();
    // As many ids as images, and none of others: each image has an entry.
    for (std::optional<JournalEntry>& entry : entries_by_image(std::move(file.content), part, file.name)) {
      if (entry->failure) {
        log_.add(*entry->failure);
      } else {
        faults_.add(entry->found->image, entry->faults);
        images.push_back(std::move(*entry->found));
      }
    }
    return 0;
  }

  std::vector<ShardFile> files_;
  FailureLog log_;
  detection::FaultLog faults_;
};

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

DetectImagesReport merge_detections(const std::vector<std::filesystem::path>& shards,
                                    const std::filesystem::path& results, const OnFailure& on_failure,
                                    const std::string& format) {
  return dataset::ListMerger(shards, on_failure).run(results, format);
}

}  // namespace effdet
