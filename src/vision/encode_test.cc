// Encoded images decoded again: PNG the same, JPEG close.
#include "vision/encode.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

TEST(Encode, PngReturnsTheSamePixels) {
  for (const char* name : {"type2_8bit.png", "row.png", "column.png", "one_pixel.png", "ycc_420.jpg"}) {
    const Image image = decode_image(images_folder() / name);
    const Image back = decode_image(encode_png(image), name);
    EXPECT_EQ(back.size(), image.size());
    EXPECT_TRUE(std::ranges::equal(back.pixels(), image.pixels())) << name;
  }
}

/// Rows of noise, each of which deflate gives back in more pieces than one.
TEST(Encode, PngReturnsWhatCannotBeCompressed) {
  Image image(30'000, 3);
  uint32_t seed = 1;
  for (uint8_t& sample : image.pixels()) sample = static_cast<uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  EXPECT_TRUE(std::ranges::equal(decode_image(encode_png(image), "noise").pixels(), image.pixels()));
}

TEST(Encode, JpegIsCloseAndSmallerAtLowQuality) {
  const Image image = decode_image(images_folder() / "ycc_420.jpg");
  const auto fine = encode_jpeg(image, 95), coarse = encode_jpeg(image, 20);
  EXPECT_LT(coarse.size(), fine.size());
  const Image back = decode_image(fine, "fine");
  ASSERT_EQ(back.size(), image.size());
  double error = 0;
  for (size_t i = 0; i < image.pixels().size(); ++i) error += std::abs(image.pixels()[i] - back.pixels()[i]);
  EXPECT_LT(error / static_cast<double>(image.pixels().size()), 5);
}

TEST(Encode, WhatJpegCannotHoldIsRefused) {
  const Image image(70000, 1);
  EXPECT_EQ(error_of([&] { encode_jpeg(image); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { encode_jpeg(Image(4, 4), 0); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { encode_jpeg(Image(4, 4), 101); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet::vision
