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

/// Neighbours, so that the results of shards one after the other are those of all. Sizes differ by one at most; with
/// more shards than images some have none.
inline std::vector<const eval::ImageRecord*> shard_of(std::span<const eval::ImageRecord* const> images,
                                                      const Shard& shard) {
  const auto begin = images.begin() + static_cast<std::ptrdiff_t>(images.size() * shard.index / shard.count);
  const auto end = images.begin() + static_cast<std::ptrdiff_t>(images.size() * (shard.index + 1) / shard.count);
  return {begin, end};
}

}  // namespace effdet::dataset
