// Joins the journals of shards to the results of one run.
#include <algorithm>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/evaluation.h"
#include "dataset/failures.h"
#include "dataset/notes.h"
#include "dataset/run_journal.h"
#include "dataset/shard.h"
#include "detection/fault_log.h"
#include "effdet/dataset.h"

namespace effdet::dataset {
namespace {

/// Of shards and images in a message, the first ones by name.
constexpr size_t kShown = 10;

struct ShardFile {
  std::string name;
  JournalContent content;

  const JournalHeader& header() const { return content.header; }
};

std::string label_of(const Shard& shard) { return fmt::format("{}/{}", shard.index, shard.count); }

/// In order of their indices. Throws Error(kBadInput) for shards of different runs, and for one that is there twice.
std::vector<ShardFile> read_shards(const std::vector<std::filesystem::path>& paths) {
  if (paths.empty()) fail(ErrorCode::kUsage, "no shards to merge");
  std::vector<ShardFile> files;
  for (const std::filesystem::path& path : paths) files.push_back({path.string(), read_journal(path)});
  const auto refuse = [&](const ShardFile& file, const std::string& what) {
    bad_input("{} and {} do not belong together: {}", files[0].name, file.name, what);
  };
  const JournalHeader& first = files[0].header();
  for (const ShardFile& file : files) {
    const JournalHeader& header = file.header();
    switch (difference_of(header, first)) {
      case RunDifference::kNone:
        break;
      case RunDifference::kProgram:
        refuse(file, "they are of different versions of effdet");
        break;
      case RunDifference::kData:
        refuse(file, "they are of different annotations");
        break;
      case RunDifference::kModel:
        refuse(file, "they are of different models or kinds of processors");
        break;
      case RunDifference::kOptions:
        refuse(file, "they are of runs with different options");
        break;
    }
    if (header.shard.count != first.shard.count)
      refuse(file, fmt::format("they are shards {} and {}", label_of(first.shard), label_of(header.shard)));
  }
  std::ranges::stable_sort(files, {}, [](const ShardFile& file) { return file.header().shard.index; });
  for (size_t i = 1; i < files.size(); ++i)
    if (files[i].header().shard.index == files[i - 1].header().shard.index)
      bad_input("{} and {} are both shard {}; give one of them", files[i - 1].name, files[i].name,
                label_of(files[i].header().shard));
  return files;
}

/// The shards of a run that no file is of.
std::vector<Shard> shards_without(const std::vector<ShardFile>& files) {
  std::vector<Shard> missing;
  for (size_t index = 0, next = 0, count = files[0].header().shard.count; index < count; ++index) {
    if (next < files.size() && files[next].header().shard.index == index) {
      ++next;
    } else {
      missing.push_back({index, count});
    }
  }
  return missing;
}

/// Where the shards had the data set, but for what is told otherwise.
DataSource place_of(DataSource data, const MergeOptions& options) {
  if (!options.root.empty()) data.root = options.root;
  if (!options.annotations.empty()) data.annotations = options.annotations;
  return data;
}

class Merger {
 public:
  Merger(const std::vector<std::filesystem::path>& paths, const MergeOptions& options)
      : files_(read_shards(paths)),
        options_(options),
        source_(place_of(files_[0].header().data, options)),
        log_(options.on_failure, files_[0].header().total) {
    if (data_key(source_.truth()) != files_[0].header().key.data || total() > source_.images().size())
      bad_input("{}: not the annotations that {} was made with; give them with --root or --annotations",
                source_.annotations(), files_[0].name);
    if (const std::vector<Shard> missing = shards_without(files_); !missing.empty()) refuse_without(missing);
  }

  ValidateReport run() {
    const std::vector<const eval::ImageRecord*> images = first_of(source_.images(), total());
    std::vector<std::string> unfinished;
    for (ShardFile& file : files_) {
      const auto part = shard_of(images, file.header().shard);
      const auto left = add_shard(part, entries_by_image(std::move(file.content), part, source_.truth(), file.name));
      if (!left.empty())
        unfinished.push_back(
            fmt::format("{} lacks {} of {} images (ids {})", file.name, left.size(), part.size(), ids_text(left)));
    }
    if (!unfinished.empty()) bad_input("{}; finish with --resume what was not finished", fmt::join(unfinished, ", "));
    log_.require_some();
    ValidateReport report{.evaluation = {}, .total = total(), .failures = log_.failures(), .warning = faults_.text()};
    report.evaluation = evaluate(source_.truth(), results_, ids_);
    if (!ids_.empty()) write_evaluated(options_.results, results_, source_.truth(), report.evaluation);
    Notes notes(options_.on_note);
    notes.add(source_.notes());
    report.evaluation.notes = notes.take();
    return report;
  }

 private:
  size_t total() const { return files_[0].content.header.total; }

  [[noreturn]] void refuse_without(const std::vector<Shard>& missing) const {
    std::vector<std::string> labels;
    std::vector<const eval::ImageRecord*> images;
    for (const Shard& shard : missing) {
      if (labels.size() < kShown) labels.push_back(label_of(shard));
      std::ranges::move(shard_of(first_of(source_.images(), total()), shard), std::back_inserter(images));
    }
    bad_input("{} of {} shards missing: {}{}, with {} images{}; run them, and give their files", missing.size(),
              missing[0].count, fmt::join(labels, ", "), missing.size() > kShown ? ", ..." : "", images.size(),
              images.empty() ? "" : fmt::format(" (ids {})", ids_text(images)));
  }

  /// "139, 285 and 2 more"
  std::string ids_text(std::span<const eval::ImageRecord* const> images) const {
    std::vector<std::string> ids;
    for (size_t i = 0; i < std::min(images.size(), kShown); ++i)
      ids.push_back(source_.truth().image_ids.json_of(images[i]->id));
    const std::string more = images.size() > kShown ? fmt::format(" and {} more", images.size() - kShown) : "";
    return fmt::format("{}{}", fmt::join(ids, ", "), more);
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

std::filesystem::path shard_file(const std::filesystem::path& results, const Shard& shard) {
  return fmt::format("{}.shard-{}-of-{}", results.string(), shard.index, shard.count);
}

ValidateReport merge_shards(const std::vector<std::filesystem::path>& shards, const MergeOptions& options) {
  return dataset::Merger(shards, options).run();
}

}  // namespace effdet
