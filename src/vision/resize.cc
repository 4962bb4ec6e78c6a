// Resizes across and then down, a few rows at a time, with the sums of Pillow.
#include "vision/resize.h"

#include <algorithm>

#include "base/error.h"

namespace effdet::vision {
namespace {

/// Source rows are read some at a time, since decoder and resizer displace each other from the first-level cache: one
/// by one photographs take 8 % longer.
constexpr ptrdiff_t kBlockBytes = 96 << 10;

/// Vector kernels for columns work on this many bytes at a time.
constexpr ptrdiff_t kBlock = 32;

ptrdiff_t whole_blocks(ptrdiff_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

int checked_side(int side) {
  if (side < 1) fail(ErrorCode::kUsage, "cannot resize to a side of {} pixels: it must be at least 1", side);
  return side;
}

TapTable table(const ResampleWeights& weights) {
  return {weights.padded_size(), weights.pairs(), weights.first(), weights.low(), weights.high()};
}

}  // namespace

RowResizer::RowResizer(RowSource& source, int width, int height, const RowKernels& kernels)
    : source_(source),
      kernels_(kernels),
      across_(source.size().width, checked_side(width)),
      down_(source.size().height, checked_side(height)),
      plane_stride_(whole_blocks(width)),
      columns_first_(columns_first(source.size(), {width, height})),
      output_(static_cast<size_t>(3 * plane_stride_)),
      window_(static_cast<size_t>(2 * down_.pairs())) {
  const ptrdiff_t row_bytes = whole_blocks(3 * ptrdiff_t{source.size().width});
  ring_stride_ = columns_first_ ? row_bytes : 3 * plane_stride_;
  ring_.resize(static_cast<size_t>(ring_stride_) * window_.size());
  row_stride_ = row_bytes + kRowSlack;
  if (!columns_first_)
    block_rows_ = static_cast<int>(std::clamp<ptrdiff_t>(kBlockBytes / row_stride_, 1, source.size().height));
  rows_.resize(static_cast<size_t>(row_stride_ * block_rows_));
}

uint8_t* RowResizer::ring_row(int y) {
  return ring_.data() + static_cast<size_t>(y) % window_.size() * static_cast<size_t>(ring_stride_);
}

const uint8_t* RowResizer::source_row(int y) {
  const int first = y / block_rows_ * block_rows_;
  if (y == first) source_.read_rows(rows_.data(), row_stride_, std::min(block_rows_, source_.size().height - first));
  return rows_.data() + (y - first) * row_stride_;
}

void RowResizer::read_rows_below(int end) {
  for (; read_ < end; ++read_) {
    if (columns_first_)
      source_.read_rows(ring_row(read_), 0, 1);
    else
      kernels_.resample_across(source_row(read_), table(across_), ring_row(read_), plane_stride_);
  }
}

void RowResizer::fill_window() {
  const int first = down_.first()[done_], height = source_.size().height;
  read_rows_below(std::min(first + static_cast<int>(window_.size()), height));
  // The tap that may lie past the last row weighs nothing, so that any row will do for it.
  for (size_t tap = 0; tap < window_.size(); ++tap)
    window_[tap] = ring_row(std::min(first + static_cast<int>(tap), height - 1));
}

const uint8_t* RowResizer::next_row() {
  fill_window();
  uint8_t* const down = columns_first_ ? rows_.data() : output_.data();
  kernels_.resample_down(window_.data(), table(down_), done_++, down, ring_stride_);
  if (columns_first_) kernels_.resample_across(rows_.data(), table(across_), output_.data(), plane_stride_);
  return output_.data();
}

Image resize_bilinear(const Image& image, int width, int height) {
  PixelRows source(image);
  RowResizer rows(source, width, height);
  Image resized(width, height);
  for (int y = 0; y < height; ++y)
    row_kernels().interleave(rows.next_row(), rows.plane_stride(), width, resized.row(y));
  return resized;
}

}  // namespace effdet::vision
