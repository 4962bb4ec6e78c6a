// Joins the journals of shards to the results of one run.
#include <algorithm>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/evaluation.h"
#include "dataset/failures.h"
#include "dataset/notes.h"
#include "dataset/run_journal.h"
#include "dataset/shard.h"
#include "dataset/shard_files.h"
#include "detection/fault_log.h"
#include "effdet/dataset.h"

namespace effdet::dataset {
namespace {

/// Where the shards had the data set, but for what is told otherwise.
DataSource place_of(DataSource data, const MergeOptions& options) {
  if (!options.root.empty()) data.root = options.root;
  if (!options.annotations.empty()) data.annotations = options.annotations;
  if (!options.images.empty() || !options.listed.empty()) {
    data.images = options.images;
    data.listed = options.listed;
  }
  return data;
}

class Merger {
 public:
  Merger(const std::vector<std::filesystem::path>& paths, const MergeOptions& options)
      : files_(read_shards(paths, RunKind::kDataset)),
        options_(options),
        source_(place_of(files_[0].header().data, options)),
        log_(options.on_failure, files_[0].header().total) {
    source_.require_other_file(options.results);
    if (data_key(source_.truth()) != files_[0].header().key.data || total() > source_.images().size())
      bad_input("{}: not the annotations that {} was made with; give them with --root or --annotations{}",
                source_.annotations(), files_[0].name,
                has_unknown_sizes() ? ", and with --images or --list the images, whose sizes they do not tell" : "");
    if (const std::vector<Shard> missing = shards_without(files_); !missing.empty()) refuse_without(missing);
  }

  ValidateReport run() {
    const std::vector<const eval::ImageRecord*> images = first_of(source_.images(), total());
    std::vector<std::string> unfinished;
    for (ShardFile& file : files_) {
      const auto part = shard_of(images, file.header().shard);
      const auto left =
          add_shard(part, entries_by_image(std::move(file.content), DatasetImages(source_, part), file.name));
      if (!left.empty())
        unfinished.push_back(
            fmt::format("{} lacks {} of {} images (ids {})", file.name, left.size(), part.size(), ids_text(left)));
    }
    if (!unfinished.empty()) bad_input("{}; finish with --resume what was not finished", fmt::join(unfinished, ", "));
    log_.require_some();
    ValidateReport report{.evaluation = {}, .total = total(), .failures = log_.failures(), .warning = faults_.text()};
    report.evaluation = evaluate(source_.truth(), results_, ids_);
    write_evaluated(options_.results, results_, source_.truth(), report.evaluation);
    Notes notes(options_.on_note);
    notes.add(source_.notes());
    report.evaluation.notes = notes.take();
    return report;
  }

 private:
  size_t total() const { return files_[0].content.header.total; }

  bool has_unknown_sizes() const {
    return std::ranges::any_of(source_.truth().images, [](const auto& image) { return image.width <= 0; });
  }

  [[noreturn]] void refuse_without(const std::vector<Shard>& missing) const {
    std::vector<const eval::ImageRecord*> images;
    for (const Shard& shard : missing)
      std::ranges::move(shard_of(first_of(source_.images(), total()), shard), std::back_inserter(images));
    bad_input("{}, with {} images{}; run them, and give their files", missing_text(missing), images.size(),
              images.empty() ? "" : fmt::format(" (ids {})", ids_text(images)));
  }

  /// "139, 285 and 2 more"
  std::string ids_text(std::span<const eval::ImageRecord* const> images) const {
    std::vector<std::string> ids;
    for (const eval::ImageRecord* image : images.first(std::min(images.size(), kShownInMessage)))
      ids.push_back(source_.truth().image_ids.json_of(image->id));
    return first_of_many(ids, images.size());
  }

  /// Returns the images that are neither done nor failed.
  std::vector<const eval::ImageRecord*> add_shard(std::span<const eval::ImageRecord* const> images,
                                                  std::vector<std::optional<JournalEntry>> entries) {
    std::vector<const eval::ImageRecord*> left;
    for (size_t i = 0; i < images.size(); ++i) {
      const std::optional<JournalEntry>& entry = entries[i];
      if (!entry) {
        left.push_back(images[i]);
      } else if (entry->failure) {
        log_.add(*entry->failure);
      } else {
        faults_.add(images[i]->file_name, entry->faults);
        ids_.push_back(images[i]->id);
        results_.insert(results_.end(), entry->results.begin(), entry->results.end());
      }
    }
    return left;
  }

  std::vector<ShardFile> files_;
  const MergeOptions& options_;
  Dataset source_;
  FailureLog log_;
  detection::FaultLog faults_;
  std::vector<int64_t> ids_;
  std::vector<eval::CocoResult> results_;
};

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

ValidateReport merge_shards(const std::vector<std::filesystem::path>& shards, const MergeOptions& options) {
  return dataset::Merger(shards, options).run();
}

}  // namespace effdet
