// Which file of a dump holds which head output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/anchors.h"

namespace effdet::eval {

/// The places of a level's two outputs in the list of files.
struct LevelFiles {
  size_t classes, boxes;
  bool operator==(const LevelFiles&) const = default;
};

struct LevelLayout {
  /// Largest level first.
  std::vector<LevelFiles> levels;
  /// Not empty where sizes alone did not decide: a sentence for the user that says which order was taken.
  std::string note;
};

/// The number of values of each output in the model's order: classes of every level, then boxes of every level.
std::vector<uint64_t> output_value_counts(std::span<const FeatureSize> levels, int num_classes, int anchors_per_cell);

/// Tells class from box and level from level by the sizes of the files in bytes, in whatever order the files come.
/// Where two outputs have the same size (1, 4 or 16 classes, or levels of one cell) the two orders of the original
/// tools are tried: the model's (classes of every level, then boxes) and the older one (box, class, box, class, ...).
/// Throws Error(kBadInput), naming the files by their numbers from 1, where sizes are missing, left over, or fit
/// neither.
LevelLayout match_levels(std::span<const uint64_t> file_sizes, std::span<const FeatureSize> levels, int num_classes,
                         int anchors_per_cell, size_t element_size = sizeof(float));

}  // namespace effdet::eval
