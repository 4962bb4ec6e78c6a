// Opens a run's journal, and checks that it is of this run.
#include "dataset/run_journal.h"

#include <algorithm>
#include <system_error>
#include <unordered_map>

#include "base/error.h"
#include "dataset/listed_image.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

bool is_finished(const JournalEntry& entry) { return !entry.failure; }

/// Throws Error(kBadInput) that says in what the run differs.
void require_same_run(const JournalHeader& was, const JournalHeader& is, const std::string& name) {
  const auto refuse = [&](const std::string& what) {
    bad_input("{}: is of {}; go on with what it was begun with, or remove it to begin anew", name, what);
  };
  switch (difference_of(was, is)) {
    case RunDifference::kNone:
      break;
    case RunDifference::kProgram:
      refuse(fmt::format("version {} of effdet, this is {}", was.program, is.program));
      break;
    case RunDifference::kKind:
      refuse(was.kind == RunKind::kDataset ? "a run over a data set" : "a run over a list of images");
      break;
    case RunDifference::kData:
      refuse(was.kind == RunKind::kDataset ? "other annotations" : "other images");
      break;
    case RunDifference::kModel:
      refuse("another model, input size, batch, precision or kind of processor");
      break;
    case RunDifference::kOptions:
      refuse("other options");
      break;
  }
  if (was.shard.index != is.shard.index || was.shard.count != is.shard.count)
    refuse(fmt::format("shard {}/{}, this is {}/{}", was.shard.index, was.shard.count, is.shard.index, is.shard.count));
}

}  // namespace

RunDifference difference_of(const JournalHeader& a, const JournalHeader& b) {
  if (a.program != b.program) return RunDifference::kProgram;
  if (a.kind != b.kind) return RunDifference::kKind;
  if (a.key.data != b.key.data) return RunDifference::kData;
  if (a.key.model != b.key.model) return RunDifference::kModel;
  return a.key.options != b.key.options || a.total != b.total ? RunDifference::kOptions : RunDifference::kNone;
}

DatasetImages::DatasetImages(const Dataset& source, std::span<const eval::ImageRecord* const> images)
    : source_(source), images_(images) {
  for (const eval::Category& category : source.truth().categories) categories_.insert(category.id);
}

uint64_t DatasetImages::file_bytes(size_t i) const try {
  return bytes_of_listed(source_.place_of(*images_[i]));
} catch (const Error&) {
  return 0;
}

bool DatasetImages::accepts(const JournalEntry& entry) const {
  return !entry.found && std::ranges::all_of(entry.results, [&](const eval::CocoResult& result) {
    return categories_.contains(result.category_id);
  });
}

bool is_of_list(const JournalEntry& entry, size_t classes) {
  return entry.found && std::ranges::all_of(entry.found->detections, [&](const Detection& detection) {
           return detection.category > 0 && static_cast<size_t>(detection.category) <= classes;
         });
}

std::vector<std::optional<JournalEntry>> entries_by_image(JournalContent content, const JournalImages& images,
                                                          const std::string& name) {
  std::unordered_map<int64_t, size_t> places;
  for (size_t i = 0; i < images.count(); ++i) places.emplace(images.id(i), i);
  std::vector<std::optional<JournalEntry>> entries(images.count());
  for (JournalEntry& entry : content.entries) {
    const auto place = places.find(entry.image_id);
    if (place == places.end() || (is_finished(entry) && !images.accepts(entry)))
      bad_input("{}: has images or categories that the run has not; remove it to begin anew", name);
    std::optional<JournalEntry>& known = entries[place->second];
    if (!known || is_finished(entry)) known = std::move(entry);
  }
  return entries;
}

RunJournal::RunJournal(const std::filesystem::path& path, bool resume, const RunImages& images,
                       const JournalHeader& header)
    : images_(images), name_(path.string()), finished_(images.count()) {
  if (std::filesystem::exists(path)) {
    writer_.emplace(path);
    if (resume) {
      take_over(header);
      return;
    }
    const JournalContent content = read_journal(path);
    if (const auto done = std::ranges::count_if(content.entries, is_finished); done > 0)
      fail(ErrorCode::kUsage,
           "{}: keeps {} finished images of an earlier run: --resume goes on with it; remove it to begin anew", name_,
           done);
  }
  writer_.emplace(path, header);
}

void RunJournal::take_over(const JournalHeader& header) {
  JournalContent content = writer_->take_over();
  require_same_run(content.header, header, name_);
  finished_ = entries_by_image(std::move(content), images_, name_);
  for (size_t i = 0; i < finished_.size(); ++i) {
    std::optional<JournalEntry>& entry = finished_[i];
    if (!entry) continue;
    if (!is_finished(*entry)) {
      entry.reset();
    } else if (images_.file_bytes(i) != entry->file_bytes) {
      bad_input("{}: {} has changed since it was done; remove the journal to begin anew", name_,
                eval::printable(images_.name(i)));
    } else if (!images_.is_whole(i, *entry)) {
      entry.reset();
    }
  }
}

void RunJournal::end(bool has_results, bool any, bool all) {
  if (has_results && (all || !any)) {
    writer_->remove();
  } else {
    writer_->sync();
  }
}

std::vector<std::optional<JournalEntry>> open_journal(std::optional<RunJournal>& journal, const JournalOptions& options,
                                                      const RunImages& images, const JournalHeader& header) {
  try {
    journal.emplace(options.journal, options.resume, images, header);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIo || options.resume || options.results.empty()) throw;
    if (options.on_note) options.on_note(fmt::format("{}; this run cannot be resumed", error.what()));
    return std::vector<std::optional<JournalEntry>>(images.count());
  }
  return journal->take_finished();
}

void RunJournal::add(size_t i, JournalEntry entry) {
  entry.image_id = images_.id(i);
  entry.file_bytes = images_.file_bytes(i);
  writer_->append(entry);
}

void RunJournal::add(size_t i, const ImageFailure& failure) {
  JournalEntry entry;
  entry.image_id = images_.id(i);
  entry.failure = failure;
  writer_->append(entry);
}

}  // namespace effdet::dataset
