// Depthwise convolution on NHWC rows.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

// Output columns that one step computes for one vector of channels. Inputs that neighbouring columns share are loaded
// once.
constexpr int kColumns = 8;
#if defined(__AVX512F__)
constexpr bool kTwoRows = true;
#else
constexpr bool kTwoRows = false;
#endif

/// The output rows that one input row adds to.
enum class Adds { kFirst, kSecond, kBoth };

/// Input columns of a block that lie outside the image, at its left and right; kUnknown: to be found at run time.
template <int left, int right>
struct Outside {
  static constexpr int kLeft = left, kRight = right;
};
constexpr int kUnknown = -1;

/// Adds what one input row gives to `columns` neighbouring outputs of one or two rows, for one vector of channels. x is
/// the input pixel under the leftmost tap of the first output, `left` its column; `first` and `second` are the taps of
/// either row. Pixels outside the image are passed over.
template <int kernel, int stride, int columns, typename Outside_, Adds adds, typename In, typename Out>
EFFDET_INLINE void add_row(const DepthwiseRows<In, Out>& d, const In* x, const float* first, const float* second,
                           int left, Vec (&sum)[2][columns]) {
  constexpr int kWidth = (columns - 1) * stride + kernel;
  const ptrdiff_t pixel = d.x_pixel;
  Vec tap[2][kernel];
#pragma GCC unroll 8
  for (int kx = 0; kx < kernel; ++kx) {
    if (adds != Adds::kSecond) tap[0][kx] = load(first + kx * d.weight_tap);
    if (adds != Adds::kFirst) tap[1][kx] = load(second + kx * d.weight_tap);
  }
#pragma GCC unroll 32
  for (int i = 0; i < kWidth; ++i, x += pixel) {
    asm("" : "+r"(x));  // one pointer that walks; the compiler would keep one for each i, more than there are registers
    if (Outside_::kLeft == kUnknown ? left + i < 0 || left + i >= d.in_width
                                    : i < Outside_::kLeft || i >= kWidth - Outside_::kRight)
      continue;
    const Vec value = load(x);
#pragma GCC unroll 8
    for (int kx = 0; kx < kernel; ++kx) {
      if (i < kx || (i - kx) % stride != 0 || (i - kx) / stride >= columns) continue;
      if (adds != Adds::kSecond) sum[0][(i - kx) / stride] += value * tap[0][kx];
      if (adds != Adds::kFirst) sum[1][(i - kx) / stride] += value * tap[1][kx];
    }
  }
}

/// Sums of `columns` neighbouring outputs of `height` rows. x is the input pixel under tap (0, 0) of the first one; the
/// input rows [begin, end) after it lie in the image.
template <int kernel, int stride, int columns, int height, typename Outside_, typename In, typename Out>
EFFDET_INLINE void block(const DepthwiseRows<In, Out>& d, const In* x, const float* weights, int left, int begin,
                         int end, Vec (&sum)[2][columns]) {
  const ptrdiff_t line = static_cast<ptrdiff_t>(d.in_width) * d.x_pixel, tap_row = kernel * d.weight_tap;
  for (int row = begin; row < end; ++row) {
    const float *first = weights + row * tap_row, *second = first - stride * tap_row;
    if (height == 1 || row < stride) {
      add_row<kernel, stride, columns, Outside_, Adds::kFirst>(d, x + row * line, first, second, left, sum);
    } else if (row < kernel) {
      add_row<kernel, stride, columns, Outside_, Adds::kBoth>(d, x + row * line, first, second, left, sum);
    } else {
      add_row<kernel, stride, columns, Outside_, Adds::kSecond>(d, x + row * line, first, second, left, sum);
    }
  }
}

/// Where a row of outputs stands: the taps that fall into the image, and the image row under tap 0.
template <typename In, typename Out>
struct Row {
  const In* x;  // image row under tap 0 (possibly outside; only taps [ky_begin, ky_end) are read)
  Out* y;
  int ky_begin, ky_end;
};

/// One output of one vector of channels, any kernel; `lanes` channels exist.
template <typename In, typename Out>
EFFDET_INLINE Vec single(const DepthwiseRows<In, Out>& d, const Row<In, Out>& row, int channel, int column, int lanes) {
  const auto get = [&](const auto* p) { return lanes == kLanes ? load(p) : load_part(p, lanes); };
  const int left = column * d.stride_x - d.pad_left;
  Vec sum = get(d.bias + channel);
  for (int ky = row.ky_begin; ky < row.ky_end; ++ky) {
    const In* x = row.x + (static_cast<ptrdiff_t>(ky) * d.in_width + left) * d.x_pixel + channel;
    const float* w = d.weights + static_cast<ptrdiff_t>(ky) * d.kernel_width * d.weight_tap + channel;
    const int begin = max_of(0, -left), end = min_of(d.kernel_width, d.in_width - left);
    for (int kx = begin; kx < end; ++kx)
      sum += get(x + static_cast<ptrdiff_t>(kx) * d.x_pixel) * get(w + static_cast<ptrdiff_t>(kx) * d.weight_tap);
  }
  return sum;
}

/// sums[i] += total[i] for the lanes [skip, lanes): those before belong to a vector that has been added.
EFFDET_INLINE void add_sums(float* sums, Vec total, int skip, int lanes) {
  if (skip == 0 && lanes == kLanes) return store(sums, load(sums) + total);
  for (int i = skip; i < lanes; ++i) sums[i] += total[i];
}

/// Calls f(channel, lanes) for each vector of channels, and adds what it returns to the sums. The last vector overlaps
/// the one before where it must: the same values are written twice.
template <typename In, typename Out, typename F>
EFFDET_INLINE void for_channels(const DepthwiseRows<In, Out>& d, F&& f) {
  for (int channel = 0; channel < d.channels; channel += kLanes) {
    const int from = max_of(0, min_of(channel, d.channels - kLanes));
    const int lanes = min_of(kLanes, d.channels - from);
    const Vec total = f(from, lanes);
    if (d.sums != nullptr) add_sums(d.sums + from, total, channel - from, lanes);
  }
}

/// `columns` outputs of `height` rows from `column` on, for all channels (at least a vector of them). The rows are
/// neighbours; the last one's window ends in the image, or where the image does.
template <int kernel, int stride, int columns, int height, typename Outside_, typename In, typename Out>
__attribute__((noinline)) void row_block(const DepthwiseRows<In, Out>& where, const Row<In, Out>* rows, int column) {
  const DepthwiseRows<In, Out> d = where;  // for all the compiler knows, storing an output changes `where`
  const int left = column * stride - d.pad_left;
  const In* x = rows[0].x + static_cast<ptrdiff_t>(left) * d.x_pixel;
  const ptrdiff_t y_pixel = d.y_pixel;
  Out* y[height];
  for (int j = 0; j < height; ++j) y[j] = rows[j].y + column * y_pixel;
  const int begin = rows[0].ky_begin, end = rows[height - 1].ky_end + (height - 1) * stride;
  for_channels(
      d, [&](int channel, int) __attribute__((always_inline)) {
        Vec sum[2][columns];
#pragma GCC unroll 2
        for (int j = 0; j < height; ++j)
#pragma GCC unroll 16
          for (int i = 0; i < columns; ++i) sum[j][i] = load(d.bias + channel);
        block<kernel, stride, columns, height, Outside_>(d, x + channel, d.weights + channel, left, begin, end, sum);
        Vec total{};
        // One switch a block, not one a vector, nor a copy of everything for each activation.
        with_activation_of<Out, height>(
            sum, d.activation, [&](auto activation) __attribute__((always_inline)) {
#pragma GCC unroll 2
              for (int j = 0; j < height; ++j) {
                Out* target = y[j] + channel;
#pragma GCC unroll 16
                for (int i = 0; i < columns; ++i, target += y_pixel) {
                  asm("" : "+r"(target));
                  const Vec value = apply<Out>(decltype(activation)::value, sum[j][i]);
                  store(target, value);
                  total += value;
                }
              }
            });
        return total;
      });
}

template <int kernel, int stride, int columns, int height, typename In, typename Out>
EFFDET_INLINE void row_blocks(const DepthwiseRows<In, Out>& d, const Row<In, Out>* rows, int& column, int end) {
  constexpr int kHalf = kernel / 2;  // what padding is mostly, on a side
  for (; column + columns <= end; column += columns) {
    const int left = max_of(0, d.pad_left - column * stride);
    const int right = max_of(0, (column + columns - 1) * stride - d.pad_left + kernel - d.in_width);
    if (left == 0 && right == 0) {
      row_block<kernel, stride, columns, height, Outside<0, 0>>(d, rows, column);
    } else if (columns == kColumns && left == kHalf && right == 0) {
      row_block<kernel, stride, kColumns, height, Outside<kHalf, 0>>(d, rows, column);
    } else if (columns == kColumns && left == 0 && right == kHalf) {
      row_block<kernel, stride, kColumns, height, Outside<0, kHalf>>(d, rows, column);
    } else {
      row_block<kernel, stride, columns, height, Outside<kUnknown, kUnknown>>(d, rows, column);
    }
  }
}

template <typename In, typename Out>
Row<In, Out> row_at(const DepthwiseRows<In, Out>& d, int y) {
  const int top = y * d.stride_y - d.pad_top;
  return {.x = d.x + static_cast<ptrdiff_t>(top) * d.in_width * d.x_pixel,
          .y = d.y + y * d.y_row,
          .ky_begin = max_of(0, -top),
          .ky_end = min_of(d.kernel_height, d.in_height - top)};
}

/// `height` rows from y on, columns [begin, end), all channels; kernel 0 stands for any. Few columns and all their
/// channels at a time: whole pixels stream through the cache.
template <int kernel, int stride, int height, typename In, typename Out>
void strip(const DepthwiseRows<In, Out>& d, int y, int begin, int end) {
  Row<In, Out> rows[height];
  for (int j = 0; j < height; ++j) rows[j] = row_at(d, y + j);
  int column = begin;
  if constexpr (kernel > 0) {
    if (d.channels >= kLanes) {
      row_blocks<kernel, stride, kColumns, height>(d, rows, column, end);
      row_blocks<kernel, stride, kColumns / 2, height>(d, rows, column, end);
    }
  }
  for (; column < end; ++column)
    for (int j = 0; j < height; ++j)
      for_channels(d, [&](int channel, int lanes) {
        const Vec value = apply<Out>(d.activation, single(d, rows[j], channel, column, lanes));
        Out* target = rows[j].y + static_cast<ptrdiff_t>(column) * d.y_pixel + channel;
        lanes == kLanes ? store(target, value) : store_part(target, value, lanes);
        return value;
      });
}

template <int kernel, int stride, typename In, typename Out>
void rows(const DepthwiseRows<In, Out>& d) {
  // Two rows at once load what they share of the input once, where the registers hold both.
  constexpr int kHeight = kernel > 0 && stride == 1 && kTwoRows ? 2 : 1;
  for (int begin = d.column_begin; begin < d.column_end; begin += kStripColumns) {
    const int end = min_of(begin + kStripColumns, d.column_end);
    int y = d.row_begin;
    for (; y + kHeight <= d.row_end; y += kHeight) strip<kernel, stride, kHeight>(d, y, begin, end);
    if (y < d.row_end) strip<kernel, stride, 1>(d, y, begin, end);
  }
}

}  // namespace

template <typename In, typename Out>
void depthwise(const DepthwiseRows<In, Out>& d) {
  const bool square = d.kernel_height == d.kernel_width && d.stride_x == d.stride_y;
  if (square && d.kernel_width == 3 && d.stride_x == 1) return rows<3, 1>(d);
  if (square && d.kernel_width == 3 && d.stride_x == 2) return rows<3, 2>(d);
  if (square && d.kernel_width == 5 && d.stride_x == 1) return rows<5, 1>(d);
  if (square && d.kernel_width == 5 && d.stride_x == 2) return rows<5, 2>(d);
  rows<0, 0>(d);
}

#if EFFDET_OWN_FLOAT_MAPS
template void depthwise(const DepthwiseRows<float>&);
#endif
template void depthwise(const DepthwiseRows<float, Bf16>&);
template void depthwise(const DepthwiseRows<Bf16>&);

}  // namespace effdet::kernels::cpu::EFFDET_ISA
