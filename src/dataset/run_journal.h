// The journal of one run: what an earlier run did is taken over, and what is done is appended.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "dataset/dataset.h"
#include "dataset/journal_file.h"

namespace effdet::dataset {

/// What sets two runs apart that should be one: the first of these.
enum class RunDifference { kNone, kProgram, kKind, kData, kModel, kOptions };
RunDifference difference_of(const JournalHeader& a, const JournalHeader& b);

/// The images of a run, by their place in it, as far as a journal that was read can be compared with them.
class JournalImages {
 public:
  virtual ~JournalImages() = default;
  virtual size_t count() const = 0;
  virtual int64_t id(size_t i) const = 0;
  /// Whether an image of this run can have such results.
  virtual bool accepts(const JournalEntry& entry) const = 0;
};

/// Those of a run that can be gone on with.
class RunImages : public JournalImages {
 public:
  /// For messages.
  virtual std::string name(size_t i) const = 0;
  /// Size of its file; 0 where it cannot be asked: what is wrong with it is said when it is opened.
  virtual uint64_t file_bytes(size_t i) const = 0;
  /// Whether what else was written of a finished image is still there.
  virtual bool is_whole(size_t i, const JournalEntry& entry) const = 0;
};

/// The images of a data set, or some of them.
class DatasetImages : public RunImages {
 public:
  /// Both must outlive it.
  DatasetImages(const Dataset& source, std::span<const eval::ImageRecord* const> images);

  size_t count() const override { return images_.size(); }
  int64_t id(size_t i) const override { return images_[i]->id; }
  bool accepts(const JournalEntry& entry) const override;
  std::string name(size_t i) const override { return images_[i]->file_name; }
  uint64_t file_bytes(size_t i) const override;
  bool is_whole(size_t, const JournalEntry&) const override { return true; }

 private:
  const Dataset& source_;
  std::span<const eval::ImageRecord* const> images_;
  std::unordered_set<int64_t> categories_;
};

/// Whether it tells what was found in an image of a list, by a model of so many classes.
bool is_of_list(const JournalEntry& entry, size_t classes);

/// By image what a journal says of it; nothing of those that are not done. An image that failed and was done later is
/// done. name: of the journal. Throws Error(kBadInput) for images and categories that are not of the run.
std::vector<std::optional<JournalEntry>> entries_by_image(JournalContent content, const JournalImages& images,
                                                          const std::string& name);

/// What the options of a run say of its journal.
struct JournalOptions {
  const std::filesystem::path& journal;
  const std::filesystem::path& results;
  bool resume;
  const OnNote& on_note;
};

class RunJournal {
 public:
  /// Opens the journal, or makes it; the images must outlive it. Throws Error(kBadInput) for one that is damaged or of
  /// another run, or where an image has changed since; Error(kUsage) where there is one with finished images and resume
  /// is false, or another process writes it; Error(kIo).
  RunJournal(const std::filesystem::path& path, bool resume, const RunImages& images, const JournalHeader& header);

  const std::string& name() const { return name_; }
  /// By image what the earlier run finished. Images that failed are not: they may have been repaired.
  std::vector<std::optional<JournalEntry>> take_finished() { return std::move(finished_); }

  /// The entry tells what was found in image number i; its id and the size of its file are filled in.
  void add(size_t i, JournalEntry entry);
  void add(size_t i, const ImageFailure& failure);
  /// The end of a run, of which `any` images are finished, or `all` are, or failed. The file goes where there are
  /// results instead, and nothing to go on with; without results it is what stays of the run.
  void end(bool has_results, bool any, bool all);

 private:
  void take_over(const JournalHeader& header);

  const RunImages& images_;
  std::string name_;
  std::optional<JournalWriter> writer_;
  std::vector<std::optional<JournalEntry>> finished_;
};

/// Opens the journal, and returns by image what the earlier run finished. Where no file can be made beside results, a
/// note says so, and there is no journal; without results that is an error, as all errors of RunJournal() are.
std::vector<std::optional<JournalEntry>> open_journal(std::optional<RunJournal>& journal, const JournalOptions& options,
                                                      const RunImages& images, const JournalHeader& header);

}  // namespace effdet::dataset
