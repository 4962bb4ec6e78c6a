// Opens a run's journal, and checks that it is of this run.
#include "dataset/run_journal.h"

#include <algorithm>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
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
    case RunDifference::kData:
      refuse("other annotations");
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
  if (a.key.data != b.key.data) return RunDifference::kData;
  if (a.key.model != b.key.model) return RunDifference::kModel;
  return a.key.options != b.key.options || a.total != b.total ? RunDifference::kOptions : RunDifference::kNone;
}

std::vector<std::optional<JournalEntry>> entries_by_image(JournalContent content,
                                                          std::span<const eval::ImageRecord* const> images,
                                                          const eval::GroundTruth& truth, const std::string& name) {
  std::unordered_map<int64_t, size_t> places;
  for (size_t i = 0; i < images.size(); ++i) places.emplace(images[i]->id, i);
  std::unordered_set<int64_t> categories;
  for (const eval::Category& category : truth.categories) categories.insert(category.id);
  std::vector<std::optional<JournalEntry>> entries(images.size());
  for (JournalEntry& entry : content.entries) {
    const auto place = places.find(entry.image_id);
    const bool is_known = place != places.end() && std::ranges::all_of(entry.results, [&](const auto& result) {
                            return categories.contains(result.category_id);
                          });
    if (!is_known) bad_input("{}: has images or categories that the data set has not; remove it to begin anew", name);
    std::optional<JournalEntry>& known = entries[place->second];
    if (!known || is_finished(entry)) known = std::move(entry);
  }
  return entries;
}

RunJournal::RunJournal(const Dataset& source, std::span<const eval::ImageRecord* const> images,
                       const JournalHeader& header, const ValidateOptions& options)
    : source_(source), name_(options.journal.string()), finished_(images.size()) {
  if (std::filesystem::exists(options.journal)) {
    writer_.emplace(options.journal);
    if (options.resume) {
      take_over(images, header);
      return;
    }
    const JournalContent content = read_journal(options.journal);
    if (const auto done = std::ranges::count_if(content.entries, is_finished); done > 0)
      fail(ErrorCode::kUsage,
           "{}: keeps {} finished images of an earlier run: --resume goes on with it; remove it to begin anew", name_,
           done);
  }
  writer_.emplace(options.journal, header);
}

void RunJournal::take_over(std::span<const eval::ImageRecord* const> images, const JournalHeader& header) {
  JournalContent content = writer_->take_over();
  require_same_run(content.header, header, name_);
  finished_ = entries_by_image(std::move(content), images, source_.truth(), name_);
  for (size_t i = 0; i < images.size(); ++i) {
    std::optional<JournalEntry>& entry = finished_[i];
    if (!entry) continue;
    if (!is_finished(*entry)) {
      entry.reset();
    } else if (file_bytes(*images[i]) != entry->file_bytes) {
      bad_input("{}: {} has changed since it was done; remove the journal to begin anew", name_,
                eval::printable(images[i]->file_name));
    }
  }
}

void RunJournal::add(const eval::ImageRecord& image, const eval::DetectFaults& faults,
                     std::vector<eval::CocoResult> results) {
  writer_->append({image.id, file_bytes(image), std::nullopt, faults, std::move(results)});
}

void RunJournal::add(const eval::ImageRecord& image, const ImageFailure& failure) {
  writer_->append({image.id, 0, failure, {}, {}});
}

/// 0 where the file cannot be asked: what is wrong with it is said when it is opened.
uint64_t RunJournal::file_bytes(const eval::ImageRecord& image) const try {
  std::error_code error;
  const uintmax_t bytes = std::filesystem::file_size(source_.path_of(image), error);
  return error ? 0 : bytes;
} catch (const Error&) {
  return 0;
}

}  // namespace effdet::dataset
