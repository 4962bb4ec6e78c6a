// Which images a shard has.
#pragma once

#include <span>
#include <vector>

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
inline std::vector<const eval::ImageRecord*> shard_of(std::span<const eval::ImageRecord* const> images,
                                                      const Shard& shard) {
  const auto part = images.subspan(0, begin_of(images.size(), shard, 1)).subspan(begin_of(images.size(), shard));
  return {part.begin(), part.end()};
}

}  // namespace effdet::dataset
