// Copies the lines under each window into a row of the matrix.
#include "kernels/cpu/window_gather.h"

#include <algorithm>

namespace effdet::kernels::cpu {
namespace {

/// target[i] = x[(first + i) * stride] for i in [0, count), the padding where that lies outside of the line [0,
/// length).
template <typename T>
void gather_line(const T* x, int64_t first, int64_t stride, int64_t length, int64_t count, T padding, T* target) {
  const int64_t begin = std::clamp<int64_t>(first < 0 ? (-first + stride - 1) / stride : 0, 0, count);
  const int64_t end = std::clamp<int64_t>(first < length ? (length - first + stride - 1) / stride : 0, begin, count);
  std::fill(target, target + begin, padding);
  std::fill(target + end, target + count, padding);
  const T* source = x + first;
  if (stride == 1) {
    std::copy(source + begin, source + end, target + begin);
  } else if (stride == 2) {  // a constant, for the vectoriser
    for (int64_t i = begin; i < end; ++i) target[i] = source[2 * i];
  } else {
    for (int64_t i = begin; i < end; ++i) target[i] = source[stride * i];
  }
}

}  // namespace

template <typename T>
Pixels<T> WindowGather<T>::gather(const T* x, int64_t first, int64_t rows, T* target) const {
  if (nchw_) {
    gather_taps(x, first, rows, target);
    return {.data = target, .row = 1, .step = rows};
  }
  gather_windows(x, first, rows, target);
  return {.data = target, .row = row(), .step = 1};
}

template <typename T>
void WindowGather<T>::gather_taps(const T* x, int64_t first, int64_t rows, T* target) const {
  for (int64_t done = 0, count; done < rows; done += count) {  // by runs of pixels in one output row
    const int64_t row = (first + done) / out_.width, column = (first + done) % out_.width;
    count = std::min(out_.width - column, rows - done);
    gather_run(x, row * window_.stride_y - window_.pad_top, column * window_.stride_x - window_.pad_left, count,
               target + done, rows);
  }
}

/// The windows of `count` pixels, the first with its corner at (top, left); `step` values between the lines of taps.
template <typename T>
void WindowGather<T>::gather_run(const T* x, int64_t top, int64_t left, int64_t count, T* target, int64_t step) const {
  for (int64_t ky = 0; ky < window_.kernel_height; ++ky)
    for (int64_t kx = 0; kx < window_.kernel_width; ++kx)
      for (int64_t c = 0; c < in_.channels; ++c, target += step) {
        const int64_t y = top + ky;
        if (y < 0 || y >= in_.height) {
          std::fill_n(target, count, padding_);
        } else {
          gather_line(x + (c * in_.height + y) * in_.width, left + kx, window_.stride_x, in_.width, count, padding_,
                      target);
        }
      }
}

template <typename T>
void WindowGather<T>::gather_windows(const T* x, int64_t first, int64_t rows, T* lines) const {
  for (int64_t i = first; i < first + rows; ++i, lines += row()) {
    T* target = lines;
    const int64_t top = i / out_.width * window_.stride_y - window_.pad_top;
    const int64_t left = i % out_.width * window_.stride_x - window_.pad_left;
    // A row of a window that has all channels is one piece of memory.
    const bool whole = channels_ == in_.channels && left >= 0 && left + window_.kernel_width <= in_.width;
    for (int64_t y = top; y < top + window_.kernel_height; ++y) {
      if (whole && y >= 0 && y < in_.height) {
        target = std::copy_n(x + (y * in_.width + left) * channels_, window_.kernel_width * channels_, target);
        continue;
      }
      for (int64_t column = left; column < left + window_.kernel_width; ++column, target += channels_) {
        if (y < 0 || y >= in_.height || column < 0 || column >= in_.width) {
          std::fill_n(target, channels_, padding_);
        } else {
          std::copy_n(x + (y * in_.width + column) * in_.channels, channels_, target);
        }
      }
    }
  }
}

template class WindowGather<float>;
template class WindowGather<Bf16>;
template class WindowGather<uint8_t>;

}  // namespace effdet::kernels::cpu
