// Channel orders, and luma and chroma as JFIF defines them.
#include "vision/camera_formats.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"

namespace effdet::vision {
namespace {

using Bytes = std::vector<uint8_t>;

/// Red, green, blue and white in one row, and the same below.
Image four_colours() {
  Image image(4, 2);
  const Bytes row = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  for (int y = 0; y < 2; ++y) std::copy(row.begin(), row.end(), image.row(y));
  return image;
}

TEST(CameraFormats, OrdersOfChannels) {
  const Image image = four_colours();
  Bytes rgb(24), xrgb(32);
  write_bgr888(image, rgb);
  EXPECT_EQ((Bytes(rgb.begin(), rgb.begin() + 6)), (Bytes{0, 0, 255, 0, 255, 0}));
  write_xrgb8888(image, false, false, xrgb);
  EXPECT_EQ((Bytes(xrgb.begin(), xrgb.begin() + 8)), (Bytes{0, 255, 0, 0, 0, 0, 255, 0}));
  write_xrgb8888(image, true, true, xrgb);
  EXPECT_EQ((Bytes(xrgb.begin(), xrgb.begin() + 8)), (Bytes{0, 0, 255, 0, 0, 255, 0, 0}));
}

TEST(CameraFormats, LumaAndChromaAreJpegs) {
  Bytes nv12(12), nv21(12);
  write_yuv420sp(four_colours(), false, nv12);
  // As libjpeg rounds, of the colours and of the means (128, 128, 0) and (128, 128, 255): up from a half.
  EXPECT_EQ(nv12, (Bytes{76, 150, 29, 255, 76, 150, 29, 255, 64, 138, 191, 118}));
  write_yuv420sp(four_colours(), true, nv21);
  EXPECT_EQ(nv21, (Bytes{76, 150, 29, 255, 76, 150, 29, 255, 138, 64, 118, 191}));
}

TEST(CameraFormats, RefusesOtherSizes) {
  Bytes bytes(23);
  EXPECT_THROW(write_bgr888(four_colours(), bytes), Error);
  EXPECT_THROW(write_yuv420sp(four_colours(), false, bytes), Error);
}

}  // namespace
}  // namespace effdet::vision
