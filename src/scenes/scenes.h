// Synthetic data sets in COCO's layout: scenes of coloured shapes with exact boxes, at any size and without a licence.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace effdet::scenes {

struct SceneOptions {
  int images = 24;
  uint64_t seed = 1;
  int min_side = 192, max_side = 320;  ///< bounds of image width and height in pixels, at least 64 and at most 4096
  int jpeg_quality = 92;               ///< 1..100
  int first_id = 1;                    ///< id of the first image; annotation ids are unique for an image id
  std::function<void(int done, int total)> progress;  ///< called after each image where set
};

/// Writes `root`/annotations/instances_val2017.json and `root`/val2017/ID.jpg (ID in 12 digits). What an image shows
/// depends on the seed, its id and the sides alone. Files of the same name are replaced.
/// Throws Error(kUsage) for options out of range and Error(kIo) where a file cannot be written.
void write_scenes(const std::filesystem::path& root, const SceneOptions& options);

}  // namespace effdet::scenes
