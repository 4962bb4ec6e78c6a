// Depthwise convolution on bfloat16 rows by products of pairs: two input rows are interleaved once, and every tap that
// looks at them multiplies both. Where the processor has no such instruction, depthwise.cc widens instead.
#include "kernels/cpu/isa/kernels.h"

namespace effdet::kernels::cpu::EFFDET_ISA {

#if defined(__AVX512BF16__)
namespace {

// Output columns that one step computes for one vector of channels, in kPairHeight rows.
constexpr int kColumns = 8;

/// One row of input under a block. Rows outside the image, and those that no output needs, are zeros with a step of 0.
struct InputRow {
  const Bf16* pixel;  // under the leftmost tap of the first output (possibly outside)
  ptrdiff_t step;     // values between pixels
};

alignas(64) const Bf16 kZeros[kLanes] = {};

/// What the rows (first, second) hold for kLanes channels, side by side: lane c has both values of channel c.
EFFDET_INLINE __m512i interleave(__m256i first, __m256i second) {
  const __m512i order = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6, 37,
                                         5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  return _mm512_permutex2var_epi16(_mm512_castsi256_si512(first), order, _mm512_castsi256_si512(second));
}

template <bool whole>
EFFDET_INLINE __m256i load_channels(const Bf16* p, int lanes) {
  return whole ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))
               : _mm256_maskz_loadu_epi16(first_lanes(lanes), p);
}

/// Whether output row j of a block looks at one of the input rows 2 * pair and 2 * pair + 1.
constexpr bool looks_at(int j, int pair, int kernel, int stride) {
  return 2 * pair + 1 >= j * stride && 2 * pair < j * stride + kernel;
}

/// `columns` outputs of `height` rows for one vector of channels. Unless the windows lie inside the image's width
/// (`inside`), pixels outside are passed over.
template <int kernel, int stride, int columns, int height, bool inside, bool whole>
EFFDET_INLINE void block(const DepthwiseRows<Bf16>& d, const InputRow* rows, const Bf16* weights, int left, int lanes,
                         Vec (&sum)[height][columns]) {
  constexpr int kPairs = ((height - 1) * stride + kernel + 1) / 2;
  constexpr int kTap = 2 * kLanes, kAllPairs = depthwise_pairs(kernel, stride);
#pragma GCC unroll 8
  for (int pair = 0; pair < kPairs; ++pair) {
    const InputRow &first = rows[2 * pair], &second = rows[2 * pair + 1];
    if (first.step == 0 && second.step == 0) continue;
#pragma GCC unroll 32
    for (int i = 0; i < (columns - 1) * stride + kernel; ++i) {
      if (!inside && (left + i < 0 || left + i >= d.in_width)) continue;
      const auto value =
          reinterpret_cast<__m512bh>(interleave(load_channels<whole>(first.pixel + i * first.step, lanes),
                                                load_channels<whole>(second.pixel + i * second.step, lanes)));
#pragma GCC unroll 8
      for (int kx = 0; kx < kernel; ++kx) {
        if (i < kx || (i - kx) % stride != 0 || (i - kx) / stride >= columns) continue;
#pragma GCC unroll 2
        for (int j = 0; j < height; ++j) {
          if (!looks_at(j, pair, kernel, stride)) continue;
          const Bf16* tap = weights + ((j * kAllPairs + pair) * kernel + kx) * kTap;
          Vec& to = sum[j][(i - kx) / stride];
          to = reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(to), value,
                                                      reinterpret_cast<__m512bh>(_mm512_load_si512(tap))));
        }
      }
    }
  }
}

/// Where a block of output rows stands.
struct Rows {
  const Bf16* x[kMostPairRows];  // the image's rows under it, column 0, channel 0; null: zeros
  Bf16* y[kPairHeight];
};

template <int kernel, int stride, int height>
Rows rows_at(const DepthwiseRows<Bf16>& d, int y) {
  Rows rows{};
  const int top = y * d.stride_y - d.pad_top;
  for (int i = 0; i < (height - 1) * stride + kernel; ++i)
    if (top + i >= 0 && top + i < d.in_height)
      rows.x[i] = d.x + static_cast<ptrdiff_t>(top + i) * d.in_width * d.x_pixel;
  for (int j = 0; j < height; ++j) rows.y[j] = d.y + (y + j) * d.y_row;
  return rows;
}

/// One vector of channels of `columns` outputs from `column` on, in `height` rows; returns their sum.
template <int kernel, int stride, int columns, int height, bool whole>
EFFDET_INLINE Vec outputs(const DepthwiseRows<Bf16>& d, const Rows& rows, int channel, int column, int lanes) {
  constexpr int kInputs = ((height - 1) * stride + kernel + 1) / 2 * 2;
  const int left = column * stride - d.pad_left;
  InputRow inputs[kInputs];
#pragma GCC unroll 16
  for (int i = 0; i < kInputs; ++i) {
    const bool there = rows.x[i] != nullptr;
    inputs[i].pixel = there ? rows.x[i] + static_cast<ptrdiff_t>(left) * d.x_pixel + channel : kZeros;
    inputs[i].step = there ? d.x_pixel : 0;
  }
  constexpr int kVectorSize = depthwise_pairs_size(kernel, stride);  // a constant: no call that others would share
  const Bf16* weights = d.pairs + channel / kLanes * kVectorSize;
  const Vec bias = whole ? load(d.bias + channel) : load_part(d.bias + channel, lanes);
  Vec sum[height][columns];
#pragma GCC unroll 2
  for (int j = 0; j < height; ++j)
#pragma GCC unroll 8
    for (int i = 0; i < columns; ++i) sum[j][i] = bias;
  if (left >= 0 && left + (columns - 1) * stride + kernel <= d.in_width) {
    block<kernel, stride, columns, height, true, whole>(d, inputs, weights, left, lanes, sum);
  } else {
    block<kernel, stride, columns, height, false, whole>(d, inputs, weights, left, lanes, sum);
  }
  Vec total{};
  // One switch a block, not one a vector, nor a copy of everything for each activation.
  with_activation_of<Bf16, height>(
      sum, d.activation, [&](auto activation) __attribute__((always_inline)) {
#pragma GCC unroll 2
        for (int j = 0; j < height; ++j)
#pragma GCC unroll 8
          for (int i = 0; i < columns; ++i) {
            const Vec y = apply<Bf16>(decltype(activation)::value, sum[j][i]);
            Bf16* target = rows.y[j] + static_cast<ptrdiff_t>(column + i) * d.y_pixel + channel;
            if (whole) {
              store(target, y);
            } else {
              store_part(target, y, lanes);
            }
            total += y;
          }
      });
  return total;
}

/// Columns [begin, end), at most kColumns, of `height` rows for one vector of channels.
template <int kernel, int stride, int height, bool whole>
void columns_of(const DepthwiseRows<Bf16>& d, const Rows& rows, int channel, int begin, int end, int lanes) {
  Vec total{};
  int column = begin;
  if (whole && column + kColumns <= end) {
    total = outputs<kernel, stride, kColumns, height, whole>(d, rows, channel, column, lanes);
    column += kColumns;
  }
  for (; column < end; ++column) total += outputs<kernel, stride, 1, height, whole>(d, rows, channel, column, lanes);
  if (d.sums == nullptr) return;
  float* sums = d.sums + channel;
  if (whole) {
    store(sums, load(sums) + total);
  } else {
    store_part(sums, load_part(sums, lanes) + total, lanes);
  }
}

template <int kernel, int stride, int height>
void strip(const DepthwiseRows<Bf16>& d, int y, int begin, int end) {
  const Rows rows = rows_at<kernel, stride, height>(d, y);
  // Few columns and all their channels at a time: whole pixels stream through the cache.
  for (int column = begin; column < end; column += kColumns) {
    const int column_end = min_of(column + kColumns, end);
    int channel = 0;
    for (; channel + kLanes <= d.channels; channel += kLanes)
      columns_of<kernel, stride, height, true>(d, rows, channel, column, column_end, kLanes);
    if (channel < d.channels)
      columns_of<kernel, stride, height, false>(d, rows, channel, column, column_end, d.channels - channel);
  }
}

template <int kernel, int stride>
void all_rows(const DepthwiseRows<Bf16>& d) {
  for (int begin = d.column_begin; begin < d.column_end; begin += kStripColumns) {
    const int end = min_of(begin + kStripColumns, d.column_end);
    int y = d.row_begin;
    for (; y + kPairHeight <= d.row_end; y += kPairHeight) strip<kernel, stride, kPairHeight>(d, y, begin, end);
    if (y < d.row_end) strip<kernel, stride, 1>(d, y, begin, end);
  }
}

}  // namespace

void depthwise_by_pairs(const DepthwiseRows<Bf16>& d) {
  if (d.kernel_width == 3) return d.stride_x == 1 ? all_rows<3, 1>(d) : all_rows<3, 2>(d);
  d.stride_x == 1 ? all_rows<5, 1>(d) : all_rows<5, 2>(d);
}

#endif

}  // namespace effdet::kernels::cpu::EFFDET_ISA
