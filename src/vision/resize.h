// Bilinear resizing with antialias.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vision/image.h"
#include "vision/resample_weights.h"
#include "vision/row_kernels.h"

namespace effdet {

/// Bit for bit Pillow's Image.resize((width, height), BILINEAR), any sizes. Throws Error(kUsage) for a side below 1.
Image resize_bilinear(const Image& image, int width, int height);

/// Whether Pillow (from 13.0 on) resamples down the columns before it resamples across the rows. Between the passes
/// samples are rounded to 8 bits, so the order shows in the result. True for tall pictures that shrink much.
constexpr bool columns_first(ImageSize from, ImageSize to) {
  return to.height < from.height && from.height - to.height > 2 * (int64_t{from.width} - to.width);
}

/// The same, row after row, for those who go on with rows: the work stays in the cache. Rows first, source rows are
/// resampled across when the first output row needs them and kept while others do.
class RowResizer {
 public:
  /// image must outlive the resizer. Throws Error(kUsage) for a side below 1.
  RowResizer(const Image& image, int width, int height, const RowKernels& kernels = row_kernels());

  /// The next output row, from the top: three planes of width samples (red, green, blue), plane_stride() bytes apart.
  /// Valid until the next call. Precondition: called at most height times.
  const uint8_t* next_row();
  ptrdiff_t plane_stride() const { return plane_stride_; }

 private:
  const uint8_t* next_row_columns_first();
  const uint8_t* next_row_rows_first();
  uint8_t* ring_row(int y);
  void resample_rows_below(int end);

  const Image& image_;
  const RowKernels& kernels_;
  ResampleWeights across_, down_;
  ptrdiff_t plane_stride_;
  int done_ = 0;       ///< output rows given
  int resampled_ = 0;  ///< source rows that were resampled across, or skipped
  bool columns_first_;
  std::vector<uint8_t> between_;  ///< rows after the first of the two passes: a ring of planar rows, or one RGB row
  std::vector<uint8_t> output_;
  std::vector<const uint8_t*> window_;
};

}  // namespace effdet
