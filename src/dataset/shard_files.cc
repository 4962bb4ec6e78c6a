// Reads the journals of shards that are to be joined, and tells which are missing.
#include "dataset/shard_files.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "dataset/run_journal.h"

namespace effdet::dataset {
namespace {

std::string label_of(const Shard& shard) { return fmt::format("{}/{}", shard.index, shard.count); }

}  // namespace

std::vector<ShardFile> read_shards(const std::vector<std::filesystem::path>& paths, RunKind kind) {
  if (paths.empty()) fail(ErrorCode::kUsage, "no shards to merge");
  std::vector<ShardFile> files;
  for (const std::filesystem::path& path : paths) files.push_back({path.string(), read_journal(path)});
  const auto refuse = [&](const ShardFile& file, const std::string& what) {
    bad_input("{} and {} do not belong together: {}", files[0].name, file.name, what);
  };
  const JournalHeader& first = files[0].header();
  if (first.kind != kind)
    bad_input("{}: is a shard of {}", files[0].name, first.kind == RunKind::kList ? "a list of images" : "a data set");
  for (const ShardFile& file : files) {
    const JournalHeader& header = file.header();
    switch (difference_of(header, first)) {
      case RunDifference::kNone:
        break;
      case RunDifference::kProgram:
        refuse(file, "they are of different versions of effdet");
        break;
      case RunDifference::kKind:
        refuse(file, "one is of a data set, the other one of a list of images");
        break;
      case RunDifference::kData:
        refuse(file, kind == RunKind::kList ? "they are of different images" : "they are of different annotations");
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

std::string missing_text(const std::vector<Shard>& missing) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < std::min(missing.size(), kShownInMessage); ++i) labels.push_back(label_of(missing[i]));
  return fmt::format("{} of {} shards missing: {}{}", missing.size(), missing[0].count, fmt::join(labels, ", "),
                     missing.size() > kShownInMessage ? ", ..." : "");
}

std::string first_of_many(const std::vector<std::string>& names, size_t count) {
  const std::string more = count > names.size() ? fmt::format(" and {} more", count - names.size()) : "";
  return fmt::format("{}{}", fmt::join(names, ", "), more);
}

}  // namespace effdet::dataset

namespace effdet {

std::filesystem::path shard_file(const std::filesystem::path& results, const Shard& shard) {
  return fmt::format("{}.shard-{}-of-{}", results.string(), shard.index, shard.count);
}

bool is_shard_of_list(const std::filesystem::path& shard) {
  return dataset::read_journal_header(shard).kind == dataset::RunKind::kList;
}

}  // namespace effdet
