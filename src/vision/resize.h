// Bilinear resizing with antialias.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vision/image.h"
#include "vision/resample_weights.h"
#include "vision/row_kernels.h"
#include "vision/row_source.h"

namespace effdet::vision {

/// Bit for bit Pillow's Image.resize((width, height), BILINEAR), any sizes. Throws Error(kUsage) for a side below 1.
Image resize_bilinear(const Image& image, int width, int height);

/// Whether Pillow (from 13.0 on) resamples down the columns before it resamples across the rows. Between the passes
/// samples are rounded to 8 bits, so the order shows in the result. True for tall images that shrink much.
constexpr bool columns_first(ImageSize from, ImageSize to) {
  return to.height < from.height && from.height - to.height > 2 * (int64_t{from.width} - to.width);
}

/// The same, row after row, from a source that gives rows: the work stays in the cache, and of the source only the rows
/// that lie under a row of the result are in memory.
class RowResizer {
 public:
  /// source must outlive the resizer, and be new. Throws Error(kUsage) for a side below 1.
  RowResizer(RowSource& source, int width, int height, const RowKernels& kernels = row_kernels());

  /// The next output row, from the top: three planes of width samples (red, green, blue), plane_stride() bytes apart.
  /// Valid until the next call. Precondition: called at most height times. Throws what the source throws.
  const uint8_t* next_row();
  ptrdiff_t plane_stride() const { return plane_stride_; }

 private:
  uint8_t* ring_row(int y);
  const uint8_t* source_row(int y);
  void read_rows_below(int end);
  void fill_window();

  RowSource& source_;
  const RowKernels& kernels_;
  ResampleWeights across_, down_;
  ptrdiff_t plane_stride_, ring_stride_, row_stride_;
  int done_ = 0;  ///< output rows given
  int read_ = 0;  ///< source rows read
  int block_rows_ = 1;
  bool columns_first_;
  std::vector<uint8_t> ring_;  ///< what is resampled down: source rows, or rows that were resampled across
  std::vector<uint8_t> rows_;  ///< RGB that is resampled across: some source rows, or the one that was resampled down
  std::vector<uint8_t> output_;
  std::vector<const uint8_t*> window_;
};

}  // namespace effdet::vision
