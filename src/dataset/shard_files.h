// The journals of shards that are to be joined.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dataset/journal_file.h"

namespace effdet::dataset {

struct ShardFile {
  std::string name;
  JournalContent content;

  const JournalHeader& header() const { return content.header; }
};

/// In order of their indices. Throws Error(kBadInput) for shards of another kind or of different runs, and for one that
/// is there twice; Error(kUsage) for none.
std::vector<ShardFile> read_shards(const std::vector<std::filesystem::path>& paths, RunKind kind);

/// The shards of a run that no file is of.
std::vector<Shard> shards_without(const std::vector<ShardFile>& files);

/// Of shards and images in a message, the first ones by name.
inline constexpr size_t kShownInMessage = 10;
/// "2 of 4 shards missing: 0/4, 2/4"
std::string missing_text(const std::vector<Shard>& missing);
/// "139, 285 and 2 more": the names are the first ones of so many.
std::string first_of_many(const std::vector<std::string>& names, size_t count);

}  // namespace effdet::dataset
