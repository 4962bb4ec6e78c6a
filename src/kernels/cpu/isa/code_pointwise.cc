// Kernels that touch each 8-bit code once: gates, sums of maps, max pool, tables, and conversions from and to floats.
#include "kernels/cpu/isa/code_vectors.h"
#include "kernels/cpu/isa/kernels.h"
#include "kernels/cpu/isa/pool_windows.h"
#include "kernels/cpu/isa/vectors.h"

namespace effdet::kernels::cpu::EFFDET_ISA {
namespace {

/// What an input of a Mix adds at one pixel, for a unit of channels.
EFFDET_INLINE void terms_of(const MixCodes& m, int input, const uint8_t* pixel, int count, Vec (&term)[4]) {
  IntVec quarter[4];
  widen_quarters(load_unit(pixel, count), quarter);
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q) term[q] = product(quarter[q] - m.zero_point[input], splat(m.multiplier[input]));
}

template <typename Requantize_>
EFFDET_INLINE void mix_rows(const MixCodes& m, const Requantize_& requantize) {
  for (int y = m.row_begin; y < m.row_end; ++y) {
    const uint8_t* pixel[ops::kMaxMixInputs];
    int64_t past[ops::kMaxMixInputs] = {};  // the inputs' columns before the next pixel, in parts of out_width
    for (int i = 0; i < m.inputs; ++i)
      pixel[i] = m.x[i] + static_cast<int64_t>(y) * m.height[i] / m.out_height * m.width[i] * m.channels;
    uint8_t* target = m.y + static_cast<ptrdiff_t>(y) * m.out_width * m.channels;
    for (int x = 0; x < m.out_width; ++x, target += m.channels) {
      for_units(
          m.channels, [&](int64_t c, int count) __attribute__((always_inline)) {
            Vec sum[4], term[4];
            terms_of(m, 0, pixel[0] + c, count, sum);
            for (int i = 1; i < m.inputs; ++i) {
              terms_of(m, i, pixel[i] + c, count, term);
#pragma GCC unroll 4
              for (int q = 0; q < 4; ++q) sum[q] += term[q];
            }
            store_unit(target + c, packed_codes(requantize, sum), count);
          });
      for (int i = 0; i < m.inputs; ++i)
        for (past[i] += m.width[i]; past[i] >= m.out_width; past[i] -= m.out_width) pixel[i] += m.channels;
    }
  }
}

#if defined(__AVX2__)
/// A table of 256 bytes by sixteens of them, each for the codes whose upper four bits are its number.
struct Lookup {
  explicit Lookup(const uint8_t* bytes) : table(bytes) {}
  Register operator()(Register codes) const {
    Register result{};
    for (int i = 0; i < 16; ++i) {
      // 0 to 15 for the codes of this part; the upper bit of others is set, where a shuffle gives 0.
      const Register at = EFFDET_INT(adds_epu8, codes ^ splat_code(16 * i), splat_code(0x70));
      const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * i));
#if defined(__AVX512F__)
      result |= _mm512_shuffle_epi8(_mm512_maskz_broadcast_i32x4(0xFFFF, part), at);
#else
      result |= _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(part), at);
#endif
    }
    return result;
  }
  const uint8_t* table;
};
#else
struct Lookup {
  explicit Lookup(const uint8_t* bytes) : table(bytes) {}
  Register operator()(Register codes) const {
    uint8_t bytes[kUnit];
    store_register(bytes, codes);
    for (uint8_t& byte : bytes) byte = table[byte];
    return load_register(bytes);
  }
  const uint8_t* table;
};
#endif

}  // namespace

void gate_codes(const GateRun& g) {
  for (int64_t begin = 0; begin < g.count; begin += g.period) {
    const int64_t length = g.period < g.count - begin ? g.period : g.count - begin;
    for_units(
        length, [&](int64_t i, int count) __attribute__((always_inline)) {
          ShortVec half[2];
          widen_halves(load_unit(g.x + begin + i, count), half);
          for (int h = 0; h < 2; ++h) {
            const auto factors = reinterpret_cast<ShortVec>(load_register(g.factors + i + h * kUnit / 2));
            half[h] = (multiply_high((half[h] - g.x_zero_point) << 6, factors) + g.added) >> g.shift;
          }
          store_unit(g.y + begin + i, packed(half[0], half[1]), count);
        });
  }
}

void mix_codes(const MixCodes& m) {
  with_requantization(*m.requantization, [&](const auto& requantize) { mix_rows(m, requantize); });
}

void max_pool_codes(const PoolRows<uint8_t>& p) {
  for_windows(p, [&](const uint8_t* window, int rows, int columns, uint8_t* target) {
    const bool clipped = rows < p.kernel_height || columns < p.kernel_width;
    const Register least = splat_code(p.zero_padding && clipped ? p.zero : 0);
    for_units(p.channels, [&](int64_t c, int count) {
      Register best = least;
      for (int ky = 0; ky < rows; ++ky)
        for (int kx = 0; kx < columns; ++kx) {
          const ptrdiff_t at = (static_cast<ptrdiff_t>(ky) * p.in_width + kx) * p.channels + c;
          best = EFFDET_INT(max_epu8, load_unit(window + at, count), best);
        }
      store_unit(target + c, reinterpret_cast<CodeVec>(best), count);
    });
  });
}

void look_up_codes(const uint8_t* x, const uint8_t* table, uint8_t* y, int64_t count) {
  const Lookup look_up(table);
  for_units(count, [&](int64_t i, int codes) {
    store_unit(y + i, reinterpret_cast<CodeVec>(look_up(load_unit(x + i, codes))), codes);
  });
}

template <typename T>
void quantize(const T* x, uint8_t* y, int64_t count, float scale, int32_t zero_point) {
  const ShortVec zero = splat_short(static_cast<int16_t>(zero_point));
  for_units(count, [&](int64_t i, int codes) {
    IntVec vector[4];
    for (int q = 0; q < 4; ++q) {
      const int lanes = min_of(kLanes, codes - q * kLanes);
      vector[q] = steps_of<false>(lanes > 0 ? get(x + i + q * kLanes, lanes) / scale : Vec{});
    }
    const ShortVec first = add_saturated(packed(vector[0], vector[1]), zero);
    const ShortVec second = add_saturated(packed(vector[2], vector[3]), zero);
    store_unit(y + i, in_order(packed(first, second)), codes);
  });
}

template <typename T>
void dequantize(const uint8_t* x, T* y, int64_t count, float scale, int32_t zero_point) {
  for_units(count, [&](int64_t i, int codes) {
    IntVec quarter[4];
    widen_quarters(by_quarters(load_unit(x + i, codes)), quarter);
    for (int q = 0; q < 4; ++q) {
      const int lanes = min_of(kLanes, codes - q * kLanes);
      if (lanes > 0) put(y + i + q * kLanes, to_floats(quarter[q] - zero_point) * scale, lanes);
    }
  });
}

template void quantize(const float*, uint8_t*, int64_t, float, int32_t);
template void quantize(const Bf16*, uint8_t*, int64_t, float, int32_t);
template void dequantize(const uint8_t*, float*, int64_t, float, int32_t);
template void dequantize(const uint8_t*, Bf16*, int64_t, float, int32_t);

}  // namespace effdet::kernels::cpu::EFFDET_ISA
