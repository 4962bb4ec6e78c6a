// The windows of a dense convolution as the matrix that its weights multiply.
#pragma once

#include "kernels/cpu/pixel_product.h"
#include "ops/fused/window.h"

namespace effdet::kernels::cpu {

/// Copies windows out of a map. From NCHW tap by tap, so that a run of pixels is one loop (a network's first layer);
/// from NHWC window by window, since a tap's channels are neighbours there.
template <typename T>
class WindowGather {
 public:
  /// layout: of the map. channels: how many of the map's channels a window has; all of them, or in NHWC fewer.
  /// padding: the value around the map.
  WindowGather(const ops::Window2d& window, const ops::Dims& in, const ops::Dims& out, ir::Layout layout,
               int64_t channels, T padding = {})
      : window_(window),
        in_(in),
        out_(out),
        nchw_(layout != ir::Layout::kNhwc),
        channels_(channels),
        padding_(padding) {}

  /// The windows of output pixels [first, first + rows) of an image whose map is x (from the first channel that the
  /// windows have on), written to target (rows x values under a window; codes in whole quads of them).
  Pixels<T> gather(const T* x, int64_t first, int64_t rows, T* target) const;

 private:
  void gather_taps(const T* x, int64_t first, int64_t rows, T* target) const;
  void gather_run(const T* x, int64_t top, int64_t left, int64_t count, T* target, int64_t step) const;
  void gather_windows(const T* x, int64_t first, int64_t rows, T* target) const;
  /// Values between the windows of NHWC.
  int64_t row() const {
    const int64_t depth = channels_ * window_.kernel_height * window_.kernel_width;
    return sizeof(T) == 1 ? padded_depth<T>(depth) : depth;
  }

  ops::Window2d window_;
  ops::Dims in_, out_;
  bool nchw_;
  int64_t channels_;
  T padding_;
};

}  // namespace effdet::kernels::cpu
