// Pixels in every order against what the format says, and views that make no sense.
#include "vision/view_rows.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "vision/test_util.h"

namespace effdet::vision {
namespace {

using Bytes = std::vector<unsigned char>;

TEST(ViewRows, ChannelsComeOutAsRgb) {
  const Bytes rgb{1, 2, 3, 4, 5, 6};
  const auto pixels = [](const Bytes& data, PixelFormat format) {
    return to_rgb({.data = data.data(), .width = 2, .height = 1, .format = format}).pixels;
  };
  EXPECT_EQ(pixels(rgb, PixelFormat::kRgb), rgb);
  EXPECT_EQ(pixels({3, 2, 1, 6, 5, 4}, PixelFormat::kBgr), rgb);
  EXPECT_EQ(pixels({1, 2, 3, 9, 4, 5, 6, 9}, PixelFormat::kRgba), rgb);
  EXPECT_EQ(pixels({3, 2, 1, 9, 6, 5, 4, 9}, PixelFormat::kBgra), rgb);
  EXPECT_EQ(pixels({7, 8}, PixelFormat::kGray), (Bytes{7, 7, 7, 8, 8, 8}));
}

TEST(ViewRows, RowsMayHavePaddingAndGoUpwards) {
  const Bytes data{1, 2, 3, 0, 0, 4, 5, 6, 0, 0};
  EXPECT_EQ(to_rgb({.data = data.data(), .width = 1, .height = 2, .stride = 5}).pixels, (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(to_rgb({.data = data.data() + 5, .width = 1, .height = 2, .stride = -5}).pixels, (Bytes{4, 5, 6, 1, 2, 3}));
}

// What OpenCV 5.0 gives for cv2.cvtColor(nv12, cv2.COLOR_YUV2RGB_NV12).
TEST(ViewRows, Nv12IsOpenCvs) {
  const Bytes data{16,  235, 81,  145, 90, 200, 40, 250,  // luma, 4 x 2
                   128, 128, 240, 110};                   // chroma: grey, then blue
  const Bytes expected{0,  0,  0,  255, 255, 255, 47, 47, 255, 121, 121, 255,
                       86, 86, 86, 214, 214, 214, 0,  0,  254, 244, 243, 255};
  EXPECT_EQ(to_rgb({.data = data.data(), .width = 4, .height = 2, .format = PixelFormat::kNv12}).pixels, expected);
  const Bytes luma(data.begin(), data.begin() + 8), chroma(data.begin() + 8, data.end());
  EXPECT_EQ(
      to_rgb({.data = luma.data(), .width = 4, .height = 2, .format = PixelFormat::kNv12, .chroma = chroma.data()})
          .pixels,
      expected);
}

/// Two planes of padded rows, the second of them from bottom to top, are the same picture.
TEST(ViewRows, PlanesOfNv12HaveStridesOfTheirOwn) {
  const Bytes packed{16, 235, 81, 145, 90, 200, 40, 250, 128, 128, 240, 110};
  const Bytes luma{16, 235, 0, 81, 145, 0, 90, 200, 0, 40, 250, 0}, chroma{240, 110, 0, 0, 128, 128, 0, 0};
  EXPECT_EQ(to_rgb({.data = luma.data(),
                    .width = 2,
                    .height = 4,
                    .format = PixelFormat::kNv12,
                    .stride = 3,
                    .chroma = chroma.data() + 4,
                    .chroma_stride = -4})
                .pixels,
            to_rgb({.data = packed.data(), .width = 2, .height = 4, .format = PixelFormat::kNv12}).pixels);
}

TEST(ViewRows, ViewsThatMakeNoSenseAreRefused) {
  const std::array<unsigned char, 64> data{};
  const auto refused = [](const ImageView& view) {
    try {
      to_rgb(view);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
      return true;
    }
    return false;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({.data = data.data()}));
  EXPECT_TRUE(refused({.data = data.data(), .width = -1, .height = 1}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 1}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 2, .height = 2, .stride = 5}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 2, .height = 2, .stride = -5}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 3, .height = 2, .format = PixelFormat::kNv12}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 2, .height = 2, .format = PixelFormat::kNv12, .stride = -2}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 2, .height = 3, .format = PixelFormat::kNv12}));
  EXPECT_TRUE(refused({.data = data.data(), .width = 2, .height = 2, .format = static_cast<PixelFormat>(77)}));
  for (const std::ptrdiff_t apart : {3, -3})
    EXPECT_STREQ(
        error_of([&] {
          to_rgb({.data = data.data(),
                  .width = 4,
                  .height = 2,
                  .format = PixelFormat::kNv12,
                  .chroma = data.data(),
                  .chroma_stride = apart});
        }).what(),
        ("image: rows of chroma of 4 bytes that are " + std::to_string(apart) + " bytes apart overlap").c_str());
}

}  // namespace
}  // namespace effdet::vision
