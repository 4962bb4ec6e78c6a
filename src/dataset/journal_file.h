// The file of a run's finished images, to which each is appended as it is done.
//
// Eight bytes of magic, then records: the length of the content (uint32), a check of the length (uint32), the content,
// its XXH3 hash of 64 bits (uint64); all little-endian. The first record is the header, and each further one an image.
// Whatever ends a run leaves whole records and at most a torn last one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "dataset/run_key.h"
#include "effdet/detect_images.h"
#include "effdet/image_failure.h"
#include "eval/coco_results.h"
#include "eval/detect.h"

namespace effdet::dataset {

/// Version of the layout that this code writes, and the only one that it reads.
inline constexpr uint32_t kJournalVersion = 2;

/// What the images of a run are.
enum class RunKind : uint8_t {
  kDataset = 0,  ///< those of a data set, each with its id
  kList = 1,     ///< those of a list, each with its place in it, from 0, as its id
};

struct JournalHeader {
  std::string program;  ///< version of effdet, which may find something else with another
  RunKind kind = RunKind::kDataset;
  RunKey key;
  Shard shard;
  uint64_t total = 0;                    ///< images of all shards
  DataSource data;                       ///< where a data set lay, as absolute paths
  std::vector<std::string> class_names;  ///< of a list's run: what classes are called in its results
};

/// What became of an image.
struct JournalEntry {
  int64_t image_id = 0;
  uint64_t file_bytes = 0;              ///< size of the image's file
  std::optional<ImageFailure> failure;  ///< why it could not be used; then there are no results
  eval::DetectFaults faults;
  std::vector<eval::CocoResult> results;  ///< of its id, in a data set
  std::optional<DetectedImage> found;     ///< in an image of a list
  uint64_t picture_bytes = 0;             ///< size of the file that it is drawn to
};

struct JournalContent {
  JournalHeader header;
  std::vector<JournalEntry> entries;
  uint64_t bytes = 0;  ///< of the whole records; a torn one may follow
};

/// The header of this version of the program.
JournalHeader journal_header(const RunKey& key, const Shard& shard, uint64_t total, const DataSource& data);
JournalHeader journal_header(const RunKey& key, const Shard& shard, uint64_t total,
                             const std::vector<std::string>& class_names);

/// Throws as read_journal().
JournalHeader read_journal_header(const std::filesystem::path& path);

/// Leaves a torn last record out. Throws Error(kBadInput) for a file that is no journal or is damaged within,
/// Error(kUnsupported) for another version of the layout, Error(kIo).
JournalContent read_journal(const std::filesystem::path& path);

/// Whether a process has the journal open to append to it. False where that cannot be found out.
bool is_written_now(const std::filesystem::path& path);

/// Appends to a journal, which no other process may meanwhile. Threads may append at a time.
class JournalWriter {
 public:
  /// Makes a journal without images, in the place of one that is there. Throws Error(kIo).
  JournalWriter(const std::filesystem::path& path, const JournalHeader& header);
  /// Opens one that is there. Throws Error(kIo), and Error(kUsage) where another process has it open.
  explicit JournalWriter(const std::filesystem::path& path);

  /// What the file holds; a torn last record is cut off. Throws as read_journal().
  JournalContent take_over();
  /// Of kill -9 nothing that was appended is lost, of a power loss the last second. Throws Error(kIo), and then has cut
  /// off what was written of the entry.
  void append(const JournalEntry& entry);
  /// Waits until all is on the disk. Throws Error(kIo).
  void sync();
  void remove();

 private:
  void sync_at(int64_t milliseconds);

  std::string path_;
  Descriptor file_;
  std::mutex mutex_;
  uint64_t bytes_ = 0;
  int64_t synced_ = 0;  ///< time of the last sync, in milliseconds
};

}  // namespace effdet::dataset
