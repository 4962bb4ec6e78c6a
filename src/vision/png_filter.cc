// A byte depends on the one a pixel to the left, so that only the samples of one pixel can be computed side by side.
#include "vision/png_filter.h"

#include <cstring>
#include <type_traits>

namespace effdet::vision {
namespace {

using Samples = int16_t __attribute__((vector_size(16)));
using Bytes = uint8_t __attribute__((vector_size(8)));

/// What a pixel's samples are computed in.
template <size_t Step>
using Pixel = std::conditional_t<Step == 1, int, Samples>;

template <size_t Step>
Pixel<Step> load(const uint8_t* pixel) {
  if constexpr (Step == 1)
    return *pixel;
  else {
    Bytes bytes;
    std::memcpy(&bytes, pixel, sizeof bytes);
    return __builtin_convertvector(bytes, Samples);
  }
}

/// The lower 8 bits of the first Step samples, which is what a sum of bytes comes to.
template <size_t Step>
Pixel<Step> store(Pixel<Step> samples, uint8_t* pixel) {
  samples &= 0xFF;
  if constexpr (Step == 1)
    *pixel = static_cast<uint8_t>(samples);
  else {
    const Bytes bytes = __builtin_convertvector(samples, Bytes);
    std::memcpy(pixel, &bytes, Step);
  }
  return samples;
}

template <typename T>
T least(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
T magnitude(T x) {
  return x > -x ? x : -x;
}

/// Of the three the one that is nearest to left + above - corner; in this order where two are as near.
template <typename T>
T paeth(T left, T above, T corner) {
  const T across = above - corner, down = left - corner;
  const T to_left = magnitude<T>(across), to_above = magnitude<T>(down), to_corner = magnitude<T>(across + down);
  const T nearest = least(to_left, least(to_above, to_corner));
  const T other = to_above == nearest ? above : corner;
  return to_left == nearest ? left : other;
}

template <size_t Step>
void add_left(uint8_t* row, const uint8_t* end) {
  for (Pixel<Step> left{}; row < end; row += Step) left = store<Step>(load<Step>(row) + left, row);
}

template <size_t Step>
void add_mean(uint8_t* row, const uint8_t* end, const uint8_t* above) {
  for (Pixel<Step> left{}; row < end; row += Step, above += Step)
    left = store<Step>(load<Step>(row) + ((left + load<Step>(above)) >> 1), row);
}

template <size_t Step>
void add_paeth(uint8_t* row, const uint8_t* end, const uint8_t* above) {
  Pixel<Step> left{}, corner{};
  for (; row < end; row += Step, above += Step) {
    const Pixel<Step> up = load<Step>(above);
    left = store<Step>(load<Step>(row) + paeth(left, up, corner), row);
    corner = up;
  }
}

void add_above(uint8_t* row, const uint8_t* end, const uint8_t* above) {
  for (; row < end; ++row) *row = static_cast<uint8_t>(*row + *above++);
}

template <size_t Step>
bool unfilter(uint8_t filter, std::span<uint8_t> row, const uint8_t* above) {
  uint8_t* const begin = row.data();
  const uint8_t* const end = begin + row.size();
  switch (filter) {
    case 0:
      return true;
    case 1:
      return add_left<Step>(begin, end), true;
    case 2:
      return add_above(begin, end, above), true;
    case 3:
      return add_mean<Step>(begin, end, above), true;
    case 4:
      return add_paeth<Step>(begin, end, above), true;
    default:
      return false;
  }
}

}  // namespace

bool png_unfilter(uint8_t filter, std::span<uint8_t> row, std::span<const uint8_t> above, size_t step) {
  switch (step) {
    case 1:
      return unfilter<1>(filter, row, above.data());
    case 2:
      return unfilter<2>(filter, row, above.data());
    case 3:
      return unfilter<3>(filter, row, above.data());
    case 4:
      return unfilter<4>(filter, row, above.data());
    case 6:
      return unfilter<6>(filter, row, above.data());
    default:
      return unfilter<8>(filter, row, above.data());
  }
}

}  // namespace effdet::vision
