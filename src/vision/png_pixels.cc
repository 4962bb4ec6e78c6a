// One conversion to 8-bit RGB for each colour type and depth, as Pillow does it.
#include "vision/png_pixels.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace effdet::vision {
namespace {

/// Sample number i of a row with Bits a sample, most significant first.
template <int Bits>
uint8_t packed_sample(const uint8_t* samples, int i) {
  const int bit = i * Bits;
  return static_cast<uint8_t>(samples[bit / 8] >> (8 - Bits - bit % 8) & ((1 << Bits) - 1));
}

template <int Bits>
void grey(const uint8_t* samples, int count, const PngHeader&, uint8_t* rgb) {
  constexpr int kScale = 255 / ((1 << Bits) - 1);
  for (int i = 0; i < count; ++i)
    std::fill_n(rgb + 3 * i, 3, static_cast<uint8_t>(packed_sample<Bits>(samples, i) * kScale));
}

template <int Bits>
void palette(const uint8_t* samples, int count, const PngHeader& header, uint8_t* rgb) {
  for (int i = 0; i < count; ++i) std::ranges::copy(header.palette[packed_sample<Bits>(samples, i)], rgb + 3 * i);
}

/// Pillow clips 16-bit grey instead of scaling it: everything from 255 on is white.
void grey16(const uint8_t* samples, int count, const PngHeader&, uint8_t* rgb) {
  for (int i = 0; i < count; ++i) std::fill_n(rgb + 3 * i, 3, samples[2 * i] ? uint8_t{255} : samples[2 * i + 1]);
}

/// Step bytes a pixel; the colour is in the first byte, or in three that are Stride apart. The rest is dropped.
template <int Step>
void grey_alpha(const uint8_t* samples, int count, const PngHeader&, uint8_t* rgb) {
  for (int i = 0; i < count; ++i) std::fill_n(rgb + 3 * i, 3, samples[Step * i]);
}

template <int Step, int Stride>
void colour(const uint8_t* samples, int count, const PngHeader&, uint8_t* rgb) {
  for (int i = 0; i < count; ++i)
    for (int channel = 0; channel < 3; ++channel) rgb[3 * i + channel] = samples[Step * i + Stride * channel];
}

struct Row {
  uint8_t bit_depth, colour_type;
  PngPixelFormat format;
};

constexpr std::array kFormats{
    Row{1, 0, {1, grey<1>}},         Row{2, 0, {2, grey<2>}},       Row{4, 0, {4, grey<4>}},
    Row{8, 0, {8, grey<8>}},         Row{16, 0, {16, grey16}},      Row{8, 2, {24, colour<3, 1>}},
    Row{16, 2, {48, colour<6, 2>}},  Row{1, 3, {1, palette<1>}},    Row{2, 3, {2, palette<2>}},
    Row{4, 3, {4, palette<4>}},      Row{8, 3, {8, palette<8>}},    Row{8, 4, {16, grey_alpha<2>}},
    Row{16, 4, {32, grey_alpha<4>}}, Row{8, 6, {32, colour<4, 1>}}, Row{16, 6, {64, colour<8, 2>}},
};

}  // namespace

PngPixelFormat png_pixel_format(const PngHeader& header, std::string_view name) {
  for (const Row& row : kFormats)
    if (row.bit_depth == header.bit_depth && row.colour_type == header.colour_type) return row.format;
  bad_input("{}: PNG: the header has bit depth {} with colour type {}", name, header.bit_depth, header.colour_type);
}

}  // namespace effdet::vision
