// The journal of one run over a data set: what an earlier run did is taken over, and what is done is appended.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/journal_file.h"
#include "effdet/dataset.h"

namespace effdet::dataset {

/// What sets two runs apart that should be one: the first of these.
enum class RunDifference { kNone, kProgram, kData, kModel, kOptions };
RunDifference difference_of(const JournalHeader& a, const JournalHeader& b);

/// By image what a journal says of it; nothing of those that are not done. An image that failed and was done later is
/// done. name: of the journal. Throws Error(kBadInput) for images and categories that are not of the data.
std::vector<std::optional<JournalEntry>> entries_by_image(JournalContent content,
                                                          std::span<const eval::ImageRecord* const> images,
                                                          const eval::GroundTruth& truth, const std::string& name);

class RunJournal {
 public:
  /// Opens options.journal, or makes it; the images are those of the run. Throws Error(kBadInput) for one that is
  /// damaged or of another run, or where an image has changed since; Error(kUsage) where there is one with finished
  /// images that is not to be resumed, or another process writes it; Error(kIo).
  RunJournal(const Dataset& source, std::span<const eval::ImageRecord* const> images, const JournalHeader& header,
             const ValidateOptions& options);

  const std::string& name() const { return name_; }
  /// By image what the earlier run finished. Images that failed are not: they may have been repaired.
  std::vector<std::optional<JournalEntry>> take_finished() { return std::move(finished_); }

  void add(const eval::ImageRecord& image, const eval::DetectFaults& faults, std::vector<eval::CocoResult> results);
  void add(const eval::ImageRecord& image, const ImageFailure& failure);
  void sync() { writer_->sync(); }
  void remove() { writer_->remove(); }

 private:
  void take_over(std::span<const eval::ImageRecord* const> images, const JournalHeader& header);
  uint64_t file_bytes(const eval::ImageRecord& image) const;

  const Dataset& source_;
  std::string name_;
  std::optional<JournalWriter> writer_;
  std::vector<std::optional<JournalEntry>> finished_;
};

}  // namespace effdet::dataset
