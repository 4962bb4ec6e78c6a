// Depthwise convolution of 8-bit codes. Two or four neighbouring input rows are interleaved once, so that a lane of 32
// bits holds a channel's values of all of them; every tap of the windows of one or two output rows that look at them
// then multiplies and adds them in one instruction (vpdpbusd), or two (pmaddwd, paddd).
#include "kernels/cpu/isa/code_vectors.h"
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

constexpr int kTaps = kCodeTaps.taps;
constexpr int kColumns = kLanes == 16 ? 8 : 4;  // sums of so many columns of two rows are in registers

/// Output columns whose input is interleaved at once: neighbours share most of it.
constexpr int kStrip = 16;
/// Output rows together, and what is below them at most.
constexpr int kMostRows = 2, kMostWidth = (kStrip - 1) * 2 + 5, kMostGroups = tap_groups(5, 2, kMostRows, kTaps);

/// Four words a lane of unsigned codes times those of weights, added to sums.
EFFDET_INLINE IntVec multiply_add(IntVec sum, Register codes, Register weights) {
#if defined(__AVX512VNNI__)
  return reinterpret_cast<IntVec>(_mm512_dpbusd_epi32(reinterpret_cast<Register>(sum), codes, weights));
#elif defined(__AVXVNNI__)
  return reinterpret_cast<IntVec>(_mm256_dpbusd_avx_epi32(reinterpret_cast<Register>(sum), codes, weights));
#else
  sum += reinterpret_cast<IntVec>(EFFDET_INT(madd_epi16, codes, weights));
  // Added now: the compiler would make all products of a window first, more than there are registers.
#if defined(__AVX512F__)
  asm("" : "+v"(sum));
#else
  asm("" : "+x"(sum));
#endif
  return sum;
#endif
}

EFFDET_INLINE IntVec load_sums(const int32_t* p) { return reinterpret_cast<IntVec>(load_register(p)); }

/// The zero point in every tap of every lane.
EFFDET_INLINE Register splat_taps(int code) {
  return kTaps == 4 ? splat_code(code) : EFFDET_INT(set1_epi16, static_cast<int16_t>(code));
}

/// What kTaps rows hold for a unit of channels, side by side: four vectors of lanes.
EFFDET_INLINE void interleave(const Register (&row)[kTaps], Register (&to)[4]) {
  const Register low = EFFDET_INT(unpacklo_epi8, row[0], row[1]), high = EFFDET_INT(unpackhi_epi8, row[0], row[1]);
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  const Register low2 = EFFDET_INT(unpacklo_epi8, row[2], row[3]), high2 = EFFDET_INT(unpackhi_epi8, row[2], row[3]);
  to[0] = EFFDET_INT(unpacklo_epi16, low, low2);
  to[1] = EFFDET_INT(unpackhi_epi16, low, low2);
  to[2] = EFFDET_INT(unpacklo_epi16, high, high2);
  to[3] = EFFDET_INT(unpackhi_epi16, high, high2);
#else
  to[0] = EFFDET_INT(unpacklo_epi8, low, Register{});
  to[1] = EFFDET_INT(unpackhi_epi8, low, Register{});
  to[2] = EFFDET_INT(unpacklo_epi8, high, Register{});
  to[3] = EFFDET_INT(unpackhi_epi8, high, Register{});
#endif
}

#if defined(__AVX512VNNI__)
/// Four fours of bytes in each quarter of the register, transposed.
EFFDET_INLINE __m512i transpose_fours(__m512i v) {
  return _mm512_shuffle_epi8(
      v, _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
}

/// The same for the `lanes` channels of a narrow unit, in their order.
EFFDET_INLINE Register interleave_narrow(const uint8_t* const (&row)[4], int lanes) {
  const __mmask16 mask = static_cast<__mmask16>((1u << lanes) - 1);
  const auto get = [&](const uint8_t* p) __attribute__((always_inline)) { return _mm_maskz_loadu_epi8(mask, p); };
  __m512i rows = _mm512_castsi128_si512(get(row[0]));
  rows = _mm512_maskz_inserti32x4(0xFFFF, rows, get(row[1]), 1);
  rows = _mm512_maskz_inserti32x4(0xFFFF, rows, get(row[2]), 2);
  rows = _mm512_maskz_inserti32x4(0xFFFF, rows, get(row[3]), 3);
  // Four channels of all rows into each quarter of the register, then their rows side by side.
  return transpose_fours(by_quarters(rows));
}
#endif

/// Memory for a unit of channels in a strip: by quarters.
struct Strip {
  Register taps[4][kMostGroups * kMostWidth];  ///< [group][input column], `width` of them
  IntVec sums[4][kMostRows * kStrip];          ///< [row][column]
};

/// The image rows under some output rows, at column 0 and channel 0; null in the padding.
struct Rows {
  const uint8_t* x[kMostGroups * kTaps];
};

Rows rows_at(const DepthwiseCodes& d, int y, int count) {
  Rows rows{};
  const int top = y * d.stride_y - d.pad_top;
  for (int i = 0; i < count; ++i)
    if (top + i >= 0 && top + i < d.in_height)
      rows.x[i] = d.x + static_cast<ptrdiff_t>(top + i) * d.in_width * d.channels;
  return rows;
}

/// A run of neighbouring channels: a unit, and how many of its channels there are.
struct Unit {
  int vector, channel, count;
  bool narrow;
};

template <typename F>
EFFDET_INLINE void for_channels_of(const DepthwiseCodes& d, F&& f) {
  int vector = 0, channel = 0;
  for (int i = 0; i < d.wide; ++i, vector += 4, channel += kUnit)
    f(Unit{vector, channel, min_of(kUnit, d.channels - channel), false});
  for (int i = 0; i < d.narrow; ++i, ++vector, channel += kLanes)
    f(Unit{vector, channel, min_of(kLanes, d.channels - channel), true});
}

/// Interleaves the input columns [left, left + width) of `groups` groups of rows.
template <bool narrow>
__attribute__((noinline)) void fill_strip(const DepthwiseCodes& d, const Rows& rows, int groups, int left, int width,
                                          const Unit& unit, Strip& strip) {
  alignas(64) uint8_t padding[kUnit];
  store_register(padding, splat_code(d.zero_point));
  constexpr int kQuarters = narrow ? 1 : 4;
  const int begin = min_of(width, max_of(0, -left)), end = max_of(begin, min_of(width, d.in_width - left));
  for (int group = 0; group < groups; ++group) {
    const int to = group * width;
    const auto pad = [&](int from, int until) {
      for (int i = from; i < until; ++i)
        for (int q = 0; q < kQuarters; ++q) strip.taps[q][to + i] = splat_taps(d.zero_point);
    };
    pad(0, begin);
    pad(end, width);
    const uint8_t* from[kTaps];
    ptrdiff_t step[kTaps];
    for (int t = 0; t < kTaps; ++t) {
      const uint8_t* row = rows.x[group * kTaps + t];
      step[t] = row != nullptr ? d.channels : 0;
      from[t] = row != nullptr ? row + static_cast<ptrdiff_t>(left + begin) * d.channels + unit.channel : padding;
    }
    const auto fill = [&](int count) __attribute__((always_inline)) {
      for (int i = begin; i < end; ++i) {
        if constexpr (narrow) {
#if defined(__AVX512VNNI__)
          strip.taps[0][to + i] = interleave_narrow(from, count);
#endif
        } else {
          Register row[kTaps], lanes[4];
#pragma GCC unroll 4
          for (int t = 0; t < kTaps; ++t) row[t] = load_unit(from[t], count);
          interleave(row, lanes);
#pragma GCC unroll 4
          for (int q = 0; q < 4; ++q) strip.taps[q][to + i] = lanes[q];
        }
#pragma GCC unroll 4
        for (int t = 0; t < kTaps; ++t) from[t] += step[t];
      }
    };
    if (!narrow && unit.count == kUnit) {
      fill(kUnit);
    } else {
      fill(unit.count);
    }
  }
}

/// Whether output row j of those together looks at a group of input rows.
constexpr bool looks_at(int j, int group, int kernel, int stride) {
  return kTaps * (group + 1) > j * stride && kTaps * group < j * stride + kernel;
}

/// Sums of `columns` outputs from `column` of the strip on, for one vector of channels.
template <int kernel, int stride, int columns>
EFFDET_INLINE void sum_columns(const Register* taps, int width, const int32_t* weights, IntVec start, int column,
                               IntVec* sums) {
  constexpr int kRows = rows_together(kernel, stride), kGroups = tap_groups(kernel, stride, kRows, kTaps);
  IntVec sum[kRows][columns];
#pragma GCC unroll 2
  for (int j = 0; j < kRows; ++j)
#pragma GCC unroll 8
    for (int i = 0; i < columns; ++i) sum[j][i] = start;
#pragma GCC unroll 4
  for (int group = 0; group < kGroups; ++group) {
    const Register* codes = taps + group * width + column * stride;
    Register weight[kRows][kernel];
#pragma GCC unroll 2
    for (int j = 0; j < kRows; ++j)
#pragma GCC unroll 5
      for (int kx = 0; kx < kernel; ++kx)
        weight[j][kx] = load_register(weights + ((group * kRows + j) * kernel + kx) * kLanes);
#pragma GCC unroll 32
    for (int i = 0; i < (columns - 1) * stride + kernel; ++i) {
      const Register value = codes[i];
#pragma GCC unroll 5
      for (int kx = 0; kx < kernel; ++kx) {
        if (i < kx || (i - kx) % stride != 0 || (i - kx) / stride >= columns) continue;
#pragma GCC unroll 2
        for (int j = 0; j < kRows; ++j)
          if (looks_at(j, group, kernel, stride))
            sum[j][(i - kx) / stride] = multiply_add(sum[j][(i - kx) / stride], value, weight[j][kx]);
      }
    }
  }
#pragma GCC unroll 2
  for (int j = 0; j < kRows; ++j)
#pragma GCC unroll 8
    for (int i = 0; i < columns; ++i) sums[j * kStrip + column + i] = sum[j][i];
}

/// Sums of a strip for one vector of channels; more columns than there are come out where kColumns does not divide.
template <int kernel, int stride>
__attribute__((noinline)) void sum_strip(const Register* taps, int width, const int32_t* weights, const int32_t* start,
                                         int columns, IntVec* sums) {
  int column = 0;
  for (; column < columns; column += kColumns)
    sum_columns<kernel, stride, kColumns>(taps, width, weights, load_sums(start), column, sums);
}

/// Sums of one output of a wide unit, for a window of any size.
__attribute__((noinline)) void sum_window(const DepthwiseCodes& d, int y, int x, const Unit& unit, Strip& strip) {
  alignas(64) uint8_t padding[kUnit];
  store_register(padding, splat_code(d.zero_point));
  const int top = y * d.stride_y - d.pad_top, left = x * d.stride_x - d.pad_left;
  const int groups = (d.kernel_height + kTaps - 1) / kTaps;  // not tap_groups(): instruction sets would share it
  const ptrdiff_t vector_size = static_cast<ptrdiff_t>(groups) * d.kernel_width * kLanes;
  const int32_t* weights = d.weights + unit.vector * vector_size;
  IntVec sum[4];
  for (int q = 0; q < 4; ++q) sum[q] = load_sums(d.start + (unit.vector + q) * kLanes);
  for (int group = 0; group < groups; ++group)
    for (int kx = 0; kx < d.kernel_width; ++kx, weights += kLanes) {
      Register row[kTaps], lanes[4];
      for (int t = 0; t < kTaps; ++t) {
        const int in_y = top + group * kTaps + t, in_x = left + kx;
        const bool inside = in_y >= 0 && in_y < d.in_height && in_x >= 0 && in_x < d.in_width;
        const ptrdiff_t at = (static_cast<ptrdiff_t>(in_y) * d.in_width + in_x) * d.channels + unit.channel;
        row[t] = load_unit(inside ? d.x + at : padding, unit.count);
      }
      interleave(row, lanes);
      for (int q = 0; q < 4; ++q) sum[q] = multiply_add(sum[q], lanes[q], load_register(weights + q * vector_size));
    }
  for (int q = 0; q < 4; ++q) strip.sums[q][0] = sum[q];
}

/// Where the sums of a strip go: `rows` rows of `columns` outputs, from a column of the output on.
struct Target {
  int y, rows, column, columns;
};

EFFDET_INLINE void add_to(uint32_t* sums, IntVec more) {
  store_register(sums, EFFDET_INT(add_epi32, load_register(sums), reinterpret_cast<Register>(more)));
}

/// Codes of a wide unit.
template <typename Requantize_>
EFFDET_INLINE void finish_codes(const DepthwiseCodes& d, const Requantize_& requantize, const Unit& unit,
                                const Target& to, const Strip& strip) {
  Vec multiplier[4];
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q) multiplier[q] = load(d.multiplier + (unit.vector + q) * kLanes);
  ShortVec total[2]{};  // 16 bits hold the sum of a strip
  for (int j = 0; j < to.rows; ++j) {
    uint8_t* y = static_cast<uint8_t*>(d.y) +
                 (static_cast<ptrdiff_t>(to.y + j) * d.out_width + to.column) * d.channels + unit.channel;
    for (int i = 0; i < to.columns; ++i, y += d.channels) {
      Vec sum[4];
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) sum[q] = product(strip.sums[q][j * kStrip + i], multiplier[q]);
      const CodeVec codes = packed_codes(requantize, sum);
      store_unit(y, codes, unit.count);
      if (d.sums == nullptr) continue;
      ShortVec half[2];
      widen_halves(reinterpret_cast<Register>(codes), half);
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) total[h] += half[h];
    }
  }
  if (d.sums == nullptr) return;
  IntVec quarter[4];
  widen_quarters(total, quarter);
  for (int q = 0; q < 4; ++q) add_to(d.sums + (unit.vector + q) * kLanes, quarter[q]);
}

#if defined(__AVX512VNNI__)
/// Codes of a narrow unit: four columns at a time, as if they were the quarters of a unit.
template <typename Requantize_>
EFFDET_INLINE void finish_narrow(const DepthwiseCodes& d, const Requantize_& requantize, const Unit& unit,
                                 const Target& to, const Strip& strip) {
  const Vec multiplier = load(d.multiplier + unit.vector * kLanes);
  Register total{};
  for (int j = 0; j < to.rows; ++j) {
    uint8_t* y = static_cast<uint8_t*>(d.y) +
                 (static_cast<ptrdiff_t>(to.y + j) * d.out_width + to.column) * d.channels + unit.channel;
    for (int i = 0; i < to.columns; i += 4, y += 4 * static_cast<ptrdiff_t>(d.channels)) {
      const int columns = min_of(4, to.columns - i);
      Vec sum[4];
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) sum[q] = product(strip.sums[0][j * kStrip + i + q], multiplier);
      const CodeVec codes = packed_codes(requantize, sum);
      if (d.sums != nullptr) {
        const auto there = static_cast<int32_t>(0xFFFFFFFFu >> (8 * (4 - columns)));
        const Register by_channel = transpose_fours(reinterpret_cast<Register>(codes));
        total = _mm512_dpbusd_epi32(total, _mm512_and_si512(by_channel, _mm512_set1_epi32(there)), splat_code(1));
      }
      const CodeVec by_column = in_order(codes);
      store_panel(y, panel_of<0>(by_column), unit.count);
      if (columns > 1) store_panel(y + d.channels, panel_of<1>(by_column), unit.count);
      if (columns > 2) store_panel(y + 2 * static_cast<ptrdiff_t>(d.channels), panel_of<2>(by_column), unit.count);
      if (columns > 3) store_panel(y + 3 * static_cast<ptrdiff_t>(d.channels), panel_of<3>(by_column), unit.count);
    }
  }
  if (d.sums != nullptr) add_to(d.sums + unit.vector * kLanes, reinterpret_cast<IntVec>(total));
}
#endif

/// Floats: not made for speed.
template <typename Out>
__attribute__((noinline)) void finish_floats(const DepthwiseCodes& d, const Unit& unit, const Target& to,
                                             const Strip& strip) {
  for (int j = 0; j < to.rows; ++j)
    for (int i = 0; i < to.columns; ++i) {
      float in_order[kUnit];
      for (int q = 0; q < (unit.narrow ? 1 : 4); ++q) {
        const Vec sum = product(strip.sums[q][j * kStrip + i], load(d.multiplier + (unit.vector + q) * kLanes));
        const Vec value = apply<Out>(d.activation, sum);
        for (int lane = 0; lane < kLanes; ++lane)
          in_order[unit.narrow ? lane : lane / 4 * 16 + 4 * q + lane % 4] = value[lane];
      }
      Out* y = static_cast<Out*>(d.y) + (static_cast<ptrdiff_t>(to.y + j) * d.out_width + to.column + i) * d.channels +
               unit.channel;
      for_vectors(unit.count, [&](int64_t c, int lanes) { put(y + c, get(in_order + c, lanes), lanes); });
    }
}

template <typename Out>
__attribute__((noinline)) void finish(const DepthwiseCodes& d, const Unit& unit, const Target& to, const Strip& strip) {
  if constexpr (sizeof(Out) > 1) {
    finish_floats<Out>(d, unit, to, strip);
  } else {
    with_requantization(*d.requantization, [&](const auto& requantize) {
#if defined(__AVX512VNNI__)
      if (unit.narrow) return finish_narrow(d, requantize, unit, to, strip);
#endif
      finish_codes(d, requantize, unit, to, strip);
    });
  }
}

/// Output rows by rows_together(), a strip of columns at a time, and all its channels: whole pixels stream through the
/// cache.
template <int kernel, int stride, typename Out>
void shared_windows(const DepthwiseCodes& d) {
  constexpr int kRows = rows_together(kernel, stride), kGroups = tap_groups(kernel, stride, kRows, kTaps);
  constexpr ptrdiff_t kVectorSize = kGroups * kRows * kernel * kLanes;
  Strip strip;
  for (int y = d.row_begin; y < d.row_end; y += kRows) {
    const int count = min_of(kRows, d.row_end - y);
    const Rows rows = rows_at(d, y, (count - 1) * stride + kernel);
    for (int column = 0; column < d.out_width; column += kStrip) {
      const Target to{y, count, column, min_of(kStrip, d.out_width - column)};
      const int whole = (to.columns + kColumns - 1) / kColumns * kColumns;
      const int width = (whole - 1) * stride + kernel, left = column * stride - d.pad_left;
      for_channels_of(d, [&](const Unit& unit) {
        if (kCodeTaps.has_narrow && unit.narrow) {
          fill_strip<true>(d, rows, kGroups, left, width, unit, strip);
        } else {
          fill_strip<false>(d, rows, kGroups, left, width, unit, strip);
        }
        for (int q = 0; q < (unit.narrow ? 1 : 4); ++q)
          sum_strip<kernel, stride>(strip.taps[q], width, d.weights + (unit.vector + q) * kVectorSize,
                                    d.start + (unit.vector + q) * kLanes, whole, strip.sums[q]);
        finish<Out>(d, unit, to, strip);
      });
    }
  }
}

template <typename Out>
void any_windows(const DepthwiseCodes& d) {
  Strip strip;
  for (int y = d.row_begin; y < d.row_end; ++y)
    for (int x = 0; x < d.out_width; ++x)
      for_channels_of(d, [&](const Unit& unit) {
        sum_window(d, y, x, unit, strip);
        finish<Out>(d, unit, {y, 1, x, 1}, strip);
      });
}

template <typename Out>
void depthwise_codes(const DepthwiseCodes& d) {
  const bool square = d.kernel_height == d.kernel_width && d.stride_x == d.stride_y;
  if (square && d.kernel_width == 3 && d.stride_x == 1) return shared_windows<3, 1, Out>(d);
  if (square && d.kernel_width == 3 && d.stride_x == 2) return shared_windows<3, 2, Out>(d);
  if (square && d.kernel_width == 5 && d.stride_x == 1) return shared_windows<5, 1, Out>(d);
  if (square && d.kernel_width == 5 && d.stride_x == 2) return shared_windows<5, 2, Out>(d);
  any_windows<Out>(d);
}

}  // namespace

extern const CodeDepthwise kCodeDepthwise = {.taps = kCodeTaps,
                                             .to_codes = depthwise_codes<uint8_t>,
                                             .to_floats = depthwise_codes<float>,
                                             .to_bf16 = depthwise_codes<Bf16>};

}  // namespace effdet::kernels::cpu::EFFDET_ISA
