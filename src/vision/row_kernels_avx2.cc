// Weighted sums with vpmaddwd, which multiplies two taps at once in 16 bits: the low and the high parts of the weights
// are summed apart and joined at the end. Sums may wrap on the way; the result fits in 32 bits, so it is exact.
#include "vision/row_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "vision/resample_weights.h"

#define EFFDET_AVX2 __attribute__((target("avx2")))

namespace effdet::vision {
namespace {

EFFDET_AVX2 inline __m256i join(__m256i low, __m256i high) {
  const __m256i half = _mm256_set1_epi32(1 << (kWeightBits - 1));
  return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(low, half), _mm256_slli_epi32(high, kLowBits)),
                           kWeightBits);
}

/// Sums of two output pixels, each four 32-bit lanes: red, green, blue and nothing.
struct PixelSums {
  __m256i low, high;
};

/// Adds a tap pair to output pixels Lane and Lane + 4 of the eight whose weights are in low and high.
template <int Lane>
EFFDET_AVX2 inline void add_pair(const uint8_t* rgb, const int32_t* offset, __m256i low, __m256i high,
                                 PixelSums& sums) {
  // Two neighbouring pixels to 16-bit pairs: r0 r1, g0 g1, b0 b1, 0 0.
  const __m256i pair_up =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const auto load = [&](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb + 3 * static_cast<ptrdiff_t>(offset[i])));
  };
  const __m256i pixels = _mm256_shuffle_epi8(_mm256_set_m128i(load(Lane + 4), load(Lane)), pair_up);
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pixels, _mm256_shuffle_epi32(low, Lane * 0x55)));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pixels, _mm256_shuffle_epi32(high, Lane * 0x55)));
}

EFFDET_AVX2 void resample_across(const uint8_t* rgb, const TapTable& taps, uint8_t* planes, ptrdiff_t plane_stride) {
  const __m256i to_planes =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m256i join_halves = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (int x = 0; x < taps.outputs; x += 8) {
    const __m256i zero = _mm256_setzero_si256();
    PixelSums s0{zero, zero}, s1{zero, zero}, s2{zero, zero}, s3{zero, zero};
    const uint8_t* pixels = rgb;
    ptrdiff_t at = x;
    for (int pair = 0; pair < taps.pairs; ++pair, pixels += 6, at += taps.outputs) {
      const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(taps.low + at));
      const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(taps.high + at));
      add_pair<0>(pixels, taps.first + x, low, high, s0);
      add_pair<1>(pixels, taps.first + x, low, high, s1);
      add_pair<2>(pixels, taps.first + x, low, high, s2);
      add_pair<3>(pixels, taps.first + x, low, high, s3);
    }
    const __m256i words01 = _mm256_packus_epi32(join(s0.low, s0.high), join(s1.low, s1.high));
    const __m256i words23 = _mm256_packus_epi32(join(s2.low, s2.high), join(s3.low, s3.high));
    // Each half: four pixels of four bytes, then the four reds, greens, blues; then reds of both halves together.
    const __m256i halves = _mm256_shuffle_epi8(_mm256_packus_epi16(words01, words23), to_planes);
    const __m256i result = _mm256_permutevar8x32_epi32(halves, join_halves);
    const __m128i red_green = _mm256_castsi256_si128(result), blue = _mm256_extracti128_si256(result, 1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(planes + x), red_green);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(planes + plane_stride + x), _mm_srli_si128(red_green, 8));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(planes + 2 * plane_stride + x), blue);
  }
}

EFFDET_AVX2 void resample_down(const uint8_t* const* rows, const TapTable& taps, int output, uint8_t* out,
                               ptrdiff_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  for (ptrdiff_t i = 0; i < bytes; i += 32) {
    __m256i low[4] = {zero, zero, zero, zero}, high[4] = {zero, zero, zero, zero};
    for (int pair = 0; pair < taps.pairs; ++pair) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(pair) * taps.outputs + output;
      const __m256i low_weights = _mm256_set1_epi32(taps.low[at]), high_weights = _mm256_set1_epi32(taps.high[at]);
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[2 * pair] + i));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[2 * pair + 1] + i));
      const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
      const __m256i samples[4] = {_mm256_unpacklo_epi8(ab_low, zero), _mm256_unpackhi_epi8(ab_low, zero),
                                  _mm256_unpacklo_epi8(ab_high, zero), _mm256_unpackhi_epi8(ab_high, zero)};
      for (int part = 0; part < 4; ++part) {
        low[part] = _mm256_add_epi32(low[part], _mm256_madd_epi16(samples[part], low_weights));
        high[part] = _mm256_add_epi32(high[part], _mm256_madd_epi16(samples[part], high_weights));
      }
    }
    const __m256i first = _mm256_packus_epi32(join(low[0], high[0]), join(low[1], high[1]));
    const __m256i second = _mm256_packus_epi32(join(low[2], high[2]), join(low[3], high[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_packus_epi16(first, second));
  }
}

EFFDET_AVX2 void normalise(const uint8_t* in, int count, float mean, float std, float* out) {
  const __m256 means = _mm256_set1_ps(mean), stds = _mm256_set1_ps(std);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in + i));
    const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    _mm256_storeu_ps(out + i, _mm256_div_ps(_mm256_sub_ps(values, means), stds));
  }
  for (; i < count; ++i) out[i] = (static_cast<float>(in[i]) - mean) / std;
}

/// For pshufb: which byte of a channel's 16 samples goes where in the 48 bytes of 16 pixels; -1: another channel's.
struct InterleaveMasks {
  int8_t of[3][3][16];  // [16 bytes of the output][channel]
  constexpr InterleaveMasks() : of{} {
    for (int i = 0; i < 48; ++i)
      for (int channel = 0; channel < 3; ++channel)
        of[i / 16][channel][i % 16] = static_cast<int8_t>(i % 3 == channel ? i / 3 : -1);
  }
};
constexpr InterleaveMasks kInterleave;

EFFDET_AVX2 void interleave(const uint8_t* planes, ptrdiff_t plane_stride, int count, uint8_t* rgb) {
  const auto load = [](const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); };
  int x = 0;
  for (; x + 16 <= count; x += 16)
    for (int part = 0; part < 3; ++part) {
      __m128i bytes = _mm_setzero_si128();
      for (int channel = 0; channel < 3; ++channel)
        bytes = _mm_or_si128(
            bytes, _mm_shuffle_epi8(load(planes + channel * plane_stride + x), load(kInterleave.of[part][channel])));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb + 3 * x + 16 * part), bytes);
    }
  for (; x < count; ++x)
    for (int channel = 0; channel < 3; ++channel) rgb[3 * x + channel] = planes[channel * plane_stride + x];
}

}  // namespace

const RowKernels* avx2_row_kernels() {
  static const RowKernels kernels{"avx2", resample_across, resample_down, normalise, interleave};
  return __builtin_cpu_supports("avx2") ? &kernels : nullptr;
}

}  // namespace effdet::vision

#else

namespace effdet::vision {

const RowKernels* avx2_row_kernels() { return nullptr; }

}  // namespace effdet::vision

#endif
