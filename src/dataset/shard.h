// Which images a shard has.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "effdet/dataset.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// The images of a run, in order of their ids: the first `limit` of all (0: all).
inline std::vector<const eval::ImageRecord*> first_of(std::vector<const eval::ImageRecord*> images, size_t limit) {
  if (limit != 0 && limit < images.size()) images.resize(limit);
  return images;
}

/// Place of the shard's first image among those of all, or of the first one of a shard so many places later.
inline size_t begin_of(size_t images, const Shard& shard, size_t later = 0) {
  return images * (shard.index + later) / shard.count;
}

/// Neighbours, so that the results of shards one after the other are those of all. Sizes differ by one at most; with
/// more shards than images some have none.
template <typename Image>
std::span<Image> part_of(std::span<Image> images, const Shard& shard) {
  return images.subspan(0, begin_of(images.size(), shard, 1)).subspan(begin_of(images.size(), shard));
}
inline std::vector<const eval::ImageRecord*> shard_of(std::span<const eval::ImageRecord* const> images,
                                                      const Shard& shard) {
  const auto part = part_of(images, shard);
  return {part.begin(), part.end()};
}

/// Throws Error(kUsage) where there is no such shard.
inline void check_shard(const Shard& shard) {
  if (shard.index >= shard.count || shard.count > Shard::kMost)
    fail(ErrorCode::kUsage, "shard {}/{}: {} shards are numbered from 0 to {}", shard.index, shard.count, shard.count,
         static_cast<int64_t>(shard.count) - 1);
}

}  // namespace effdet::dataset
