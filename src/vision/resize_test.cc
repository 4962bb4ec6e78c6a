// Resized images against Pillow's, and vector code against scalar code.
#include "vision/resize.h"

#include <gtest/gtest.h>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

Image noise(int width, int height, uint32_t seed) {
  Image image(width, height);
  for (uint8_t& sample : image.pixels()) {
    seed = seed * 1664525 + 1013904223;
    sample = static_cast<uint8_t>(seed >> 24);
  }
  return image;
}

TEST(Resize, IsWhatPillowMakes) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "resize") continue;
    const Image image = decode_image(images_folder() / line.file);
    const Image resized = resize_bilinear(image, line.width, line.height);
    EXPECT_EQ(sha256_of(std::as_bytes(resized.pixels())), line.sha256)
        << line.file << " to " << line.width << " x " << line.height;
    ++count;
  }
  EXPECT_GE(count, 30u);
}

TEST(Resize, OrderOfThePasses) {
  EXPECT_FALSE(columns_first({100, 100}, {50, 1}));
  EXPECT_TRUE(columns_first({100, 100}, {51, 1}));
  EXPECT_TRUE(columns_first({100, 200}, {50, 99}));
  EXPECT_FALSE(columns_first({100, 200}, {50, 100}));
  EXPECT_FALSE(columns_first({100, 100}, {300, 100}));
  EXPECT_FALSE(columns_first({100, 100}, {300, 101}));
}

TEST(Resize, SameSizeIsACopy) {
  const Image image = noise(37, 23, 5);
  const Image copy = resize_bilinear(image, 37, 23);
  EXPECT_TRUE(std::ranges::equal(copy.pixels(), image.pixels()));
}

TEST(Resize, SidesBelowOneAreRefused) {
  const Image image = noise(4, 4, 1);
  EXPECT_EQ(error_of([&] { resize_bilinear(image, 0, 4); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { resize_bilinear(image, 4, -1); }).code(), ErrorCode::kUsage);
}

struct Case {
  ImageSize from, to;
};

TEST(RowKernels, Avx2MatchesScalar) {
  const RowKernels* fast = avx2_row_kernels();
  if (!fast) GTEST_SKIP() << "this processor has no AVX2";
  for (const auto& [from, to] : std::vector<Case>{{{640, 480}, {512, 384}},
                                                  {{480, 640}, {1152, 1536}},
                                                  {{1, 1}, {33, 17}},
                                                  {{333, 2}, {31, 5}},
                                                  {{2, 333}, {5, 31}},
                                                  {{1000, 700}, {9, 7}},
                                                  {{127, 64}, {124, 100}},
                                                  {{5000, 3}, {3, 1}},
                                                  {{30, 200}, {15, 90}},
                                                  {{40, 41}, {39, 3}}}) {
    const Image image = noise(from.width, from.height, static_cast<uint32_t>(from.width));
    PixelRows rows(image), same_rows(image);
    RowResizer quick(rows, to.width, to.height, *fast), plain(same_rows, to.width, to.height, scalar_row_kernels());
    for (int y = 0; y < to.height; ++y) {
      const uint8_t *a = quick.next_row(), *b = plain.next_row();
      for (ptrdiff_t channel = 0; channel < 3; ++channel)
        ASSERT_TRUE(std::equal(a + channel * quick.plane_stride(), a + channel * quick.plane_stride() + to.width,
                               b + channel * plain.plane_stride()))
            << from.width << " x " << from.height << " row " << y;
    }
  }
}

TEST(RowKernels, NormaliseMatchesScalarForEverySample) {
  const RowKernels* fast = avx2_row_kernels();
  if (!fast) GTEST_SKIP() << "this processor has no AVX2";
  std::vector<uint8_t> samples(256 + 5);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(i);
  std::vector<float> a(samples.size()), b(samples.size());
  for (auto [mean, std] : {std::pair{123.675f, 58.395f}, {127.5f, 127.5f}, {0.0f, 255.0f}}) {
    std::vector<uint8_t> fast_rgb(3 * (samples.size() / 3)), slow_rgb(fast_rgb.size());
    const auto count = static_cast<int>(samples.size() / 3);
    fast->interleave(samples.data(), count, count, fast_rgb.data());
    scalar_row_kernels().interleave(samples.data(), count, count, slow_rgb.data());
    EXPECT_EQ(fast_rgb, slow_rgb);
    fast->normalise(samples.data(), static_cast<int>(samples.size()), mean, std, a.data());
    scalar_row_kernels().normalise(samples.data(), static_cast<int>(samples.size()), mean, std, b.data());
    EXPECT_EQ(a, b);
  }
}

}  // namespace
}  // namespace effdet::vision
