// Parts of large images, and one result of what was found in them.
#pragma once

#include <span>
#include <vector>

#include "effdet/detection.h"
#include "effdet/slice_options.h"
#include "vision/image.h"

namespace effdet::detection {

/// [x1, x2) x [y1, y2), in pixels.
struct Slice {
  int x1, y1, x2, y2;
};

/// Throws Error(kUsage).
void check_options(const SliceOptions& options);

/// Whether there are slices of an image of that size, which is larger than one.
bool is_sliced(vision::ImageSize image, const SliceOptions& options);

/// From left to right and from top to bottom; the last ones of a row and of a column end with the image. One, the
/// image, where it is not larger than a slice.
std::vector<Slice> slices_of(vision::ImageSize image, const SliceOptions& options);

/// Adds what was found in a slice, in pixels of the image.
void add_found(std::vector<Detection>& all, std::span<const Detection> in_slice, const Slice& slice);

/// The best detection takes those of its class that overlap it: its box grows around them, one after the other by
/// score, where each still overlaps it enough; those that do not are lost. Then the best that is left, and so on. At
/// most `most`, by falling score.
std::vector<Detection> merge_detections(std::vector<Detection> detections, const SliceOptions& options, bool agnostic,
                                        int most);

}  // namespace effdet::detection
