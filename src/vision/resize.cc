#include "vision/resize.h"

#include <algorithm>

#include "base/error.h"

namespace effdet {
namespace {

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

RowResizer::RowResizer(const Image& image, int width, int height, const RowKernels& kernels)
    : image_(image),
      kernels_(kernels),
      across_(image.width(), checked_side(width)),
      down_(image.height(), checked_side(height)),
      plane_stride_(whole_blocks(width)),
      columns_first_(columns_first(image.size(), {width, height})),
      output_(static_cast<size_t>(3 * plane_stride_)),
      window_(static_cast<size_t>(2 * down_.pairs())) {
  if (columns_first_)
    between_.resize(static_cast<size_t>(whole_blocks(3 * ptrdiff_t{image.width()})) + Image::kSlack);
  else
    between_.resize(static_cast<size_t>(3 * plane_stride_) * window_.size());
}

uint8_t* RowResizer::ring_row(int y) {
  return between_.data() + static_cast<size_t>(y) % window_.size() * static_cast<size_t>(3 * plane_stride_);
}

void RowResizer::resample_rows_below(int end) {
  for (; resampled_ < end; ++resampled_)
    kernels_.resample_across(image_.row(resampled_), table(across_), ring_row(resampled_), plane_stride_);
}

const uint8_t* RowResizer::next_row() { return columns_first_ ? next_row_columns_first() : next_row_rows_first(); }

// In both orders the tap that may lie past the last row weighs nothing, so that any row will do for it.

const uint8_t* RowResizer::next_row_columns_first() {
  const int first = down_.first()[done_];
  for (size_t tap = 0; tap < window_.size(); ++tap)
    window_[tap] = image_.row(std::min(first + static_cast<int>(tap), image_.height() - 1));
  const ptrdiff_t bytes = whole_blocks(3 * ptrdiff_t{image_.width()});
  kernels_.resample_down(window_.data(), table(down_), done_++, between_.data(), bytes);
  kernels_.resample_across(between_.data(), table(across_), output_.data(), plane_stride_);
  return output_.data();
}

const uint8_t* RowResizer::next_row_rows_first() {
  const int first = down_.first()[done_];
  const int taps = static_cast<int>(window_.size());
  resampled_ = std::max(resampled_, first);
  resample_rows_below(std::min(first + taps, image_.height()));
  for (int tap = 0; tap < taps; ++tap)
    window_[static_cast<size_t>(tap)] = ring_row(std::min(first + tap, image_.height() - 1));
  kernels_.resample_down(window_.data(), table(down_), done_++, output_.data(), 3 * plane_stride_);
  return output_.data();
}

Image resize_bilinear(const Image& image, int width, int height) {
  RowResizer rows(image, width, height);
  Image resized(width, height);
  for (int y = 0; y < height; ++y)
    row_kernels().interleave(rows.next_row(), rows.plane_stride(), width, resized.row(y));
  return resized;
}

}  // namespace effdet
