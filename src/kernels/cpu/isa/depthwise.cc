// Depthwise convolution on NHWC rows.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

// Output columns that one step computes for one vector of channels. Inputs that neighbouring columns share are loaded
// once.
#if defined(__AVX512F__)
constexpr int kColumns = 8;
#else
constexpr int kColumns = 4;
#endif

/// Sums of `columns` neighbouring outputs for one vector of channels. x is the input pixel under tap (0, 0) of the
/// first output, `left` its column. Unless the windows lie inside the image's width, pixels outside are passed over.
template <int kernel, int stride, int columns, bool inside>
EFFDET_INLINE void block(const DepthwiseRows& d, const float* row, const float* weights, int left, int ky_begin,
                         int ky_end, Vec (&sum)[columns]) {
  const ptrdiff_t pixel = d.x_pixel, line = d.in_width * pixel, weight = d.weight_tap;
  for (int ky = ky_begin; ky < ky_end; ++ky) {
    const float* x = row + ky * line;
    const float* w = weights + ky * kernel * weight;
    Vec tap[kernel];
#pragma GCC unroll 8
    for (int kx = 0; kx < kernel; ++kx) tap[kx] = load(w + kx * weight);
#pragma GCC unroll 32
    for (int i = 0; i < (columns - 1) * stride + kernel; ++i) {
      if (!inside && (left + i < 0 || left + i >= d.in_width)) continue;
      const Vec value = load(x + i * pixel);
#pragma GCC unroll 8
      for (int kx = 0; kx < kernel; ++kx) {
        if (i >= kx && (i - kx) % stride == 0 && (i - kx) / stride < columns) sum[(i - kx) / stride] += value * tap[kx];
      }
    }
  }
}

/// Where a row of outputs stands: the taps that fall into the image, and the image row under tap 0.
struct Row {
  const float* x;  // image row under tap 0 (possibly outside; only taps [ky_begin, ky_end) are read)
  float* y;
  int ky_begin, ky_end;
};

/// One output of one vector of channels, any kernel; `lanes` channels exist.
EFFDET_INLINE Vec single(const DepthwiseRows& d, const Row& row, int channel, int column, int lanes) {
  const auto get = [&](const float* p) { return lanes == kLanes ? load(p) : load_part(p, lanes); };
  const int left = column * d.stride_x - d.pad_left;
  Vec sum = get(d.bias + channel);
  for (int ky = row.ky_begin; ky < row.ky_end; ++ky) {
    const float* x = row.x + (static_cast<ptrdiff_t>(ky) * d.in_width + left) * d.x_pixel + channel;
    const float* w = d.weights + static_cast<ptrdiff_t>(ky) * d.kernel_width * d.weight_tap + channel;
    const int begin = max_of(0, -left), end = min_of(d.kernel_width, d.in_width - left);
    for (int kx = begin; kx < end; ++kx)
      sum += get(x + static_cast<ptrdiff_t>(kx) * d.x_pixel) * get(w + static_cast<ptrdiff_t>(kx) * d.weight_tap);
  }
  return sum;
}

template <typename Activation_>
EFFDET_INLINE void finish(const DepthwiseRows& d, const Row& row, int channel, int column, int lanes, Vec sum,
                          Vec& total) {
  const Vec y = apply(Activation_::value, sum);
  float* target = row.y + static_cast<ptrdiff_t>(column) * d.y_pixel + channel;
  if (lanes == kLanes) {
    store(target, y);
  } else {
    store_part(target, y, lanes);
  }
  total += y;
}

/// `columns` outputs from `column` on, all channels of the vector present.
template <int kernel, int stride, int columns, typename Activation_>
EFFDET_INLINE void row_block(const DepthwiseRows& d, const Row& row, int channel, int column, Vec& total) {
  const int left = column * stride - d.pad_left;
  const float* x = row.x + static_cast<ptrdiff_t>(left) * d.x_pixel + channel;
  Vec sum[columns];
#pragma GCC unroll 16
  for (int i = 0; i < columns; ++i) sum[i] = load(d.bias + channel);
  if (left >= 0 && left + (columns - 1) * stride + kernel <= d.in_width) {
    block<kernel, stride, columns, true>(d, x, d.weights + channel, left, row.ky_begin, row.ky_end, sum);
  } else {
    block<kernel, stride, columns, false>(d, x, d.weights + channel, left, row.ky_begin, row.ky_end, sum);
  }
#pragma GCC unroll 16
  for (int i = 0; i < columns; ++i) finish<Activation_>(d, row, channel, column + i, kLanes, sum[i], total);
}

/// Columns [begin, end) of one row for one vector of channels; returns their sum. kernel 0 stands for any.
template <int kernel, int stride, typename Activation_>
EFFDET_INLINE Vec row_vector(const DepthwiseRows& d, const Row& row, int channel, int begin, int end, int lanes) {
  Vec total{};
  int column = begin;
  if constexpr (kernel > 0) {
    if (lanes == kLanes) {
      for (; column + kColumns <= end; column += kColumns)
        row_block<kernel, stride, kColumns, Activation_>(d, row, channel, column, total);
      if (column + kColumns / 2 <= end) {
        row_block<kernel, stride, kColumns / 2, Activation_>(d, row, channel, column, total);
        column += kColumns / 2;
      }
    }
  }
  for (; column < end; ++column)
    finish<Activation_>(d, row, channel, column, lanes, single(d, row, channel, column, lanes), total);
  return total;
}

/// sums[i] += total[i] for the lanes [skip, lanes): those before belong to a vector that has been added.
EFFDET_INLINE void add_sums(float* sums, Vec total, int skip, int lanes) {
  if (skip == 0 && lanes == kLanes) return store(sums, load(sums) + total);
  for (int i = skip; i < lanes; ++i) sums[i] += total[i];
}

// Wide rows go by strips, so that the input rows that neighbouring output rows share are still in the cache.
constexpr int kStripColumns = 32;

template <int kernel, int stride, typename Activation_>
void rows(const DepthwiseRows& d) {
  for (int begin = 0; begin < d.out_width; begin += kStripColumns) {
    const int end = min_of(begin + kStripColumns, d.out_width);
    for (int y = d.row_begin; y < d.row_end; ++y) {
      const int top = y * d.stride_y - d.pad_top;
      const Row row{.x = d.x + static_cast<ptrdiff_t>(top) * d.in_width * d.x_pixel,
                    .y = d.y + static_cast<ptrdiff_t>(y) * d.out_width * d.y_pixel,
                    .ky_begin = max_of(0, -top),
                    .ky_end = min_of(d.kernel_height, d.in_height - top)};
      // Few columns and all their channels at a time: whole pixels stream through the cache.
      for (int column = begin; column < end; column += kColumns) {
        const int column_end = min_of(column + kColumns, end);
        for (int channel = 0; channel < d.channels; channel += kLanes) {
          // The last vector of channels overlaps the one before where it must: the same values are written twice.
          const int from = max_of(0, min_of(channel, d.channels - kLanes));
          const int lanes = min_of(kLanes, d.channels - from);
          const Vec total = row_vector<kernel, stride, Activation_>(d, row, from, column, column_end, lanes);
          if (d.sums != nullptr) add_sums(d.sums + from, total, channel - from, lanes);
        }
      }
    }
  }
}

}  // namespace

void depthwise(const DepthwiseRows& d) {
  with_activation(d.activation, [&](auto activation) {
    using A = decltype(activation);
    const bool square = d.kernel_height == d.kernel_width && d.stride_x == d.stride_y;
    if (square && d.kernel_width == 3 && d.stride_x == 1) return rows<3, 1, A>(d);
    if (square && d.kernel_width == 3 && d.stride_x == 2) return rows<3, 2, A>(d);
    if (square && d.kernel_width == 5 && d.stride_x == 1) return rows<5, 1, A>(d);
    if (square && d.kernel_width == 5 && d.stride_x == 2) return rows<5, 2, A>(d);
    rows<0, 0, A>(d);
  });
}

}  // namespace effdet::kernels::cpu::EFFDET_ISA
