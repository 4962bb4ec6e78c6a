// Chunks of PNG files that are odd, cut or in the wrong place: what Pillow 13 reads is read, and the rest named by
// offset.
#include <gtest/gtest.h>

#include <vector>

#include "vision/png_test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

/// Two pixels a row, in two rows; and the same behind a filter's byte.
const std::vector<uint8_t> kPixels = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6};
const std::string kRows = "\0\1\2\3\4\5\6\0\1\2\3\4\5\6"s, kEnd = chunk("IEND", "");

/// That image with a chunk before its data.
std::string with(const std::string& type, const std::string& content) {
  return png_header(2, 2) + chunk(type, content) + chunk("IDAT", deflated(kRows)) + kEnd;
}

std::vector<uint8_t> pixels_of(const std::string& png) {
  const Image image = decoded_png(png);
  return {image.pixels().begin(), image.pixels().end()};
}

TEST(PngChunks, OddOnesThatMatterToNobody) {
  const std::string fine = deflated(std::string(1 << 20, '\0'));
  for (const auto& [type, content] : std::vector<std::pair<std::string, std::string>>{
           {"ab_d", "x"},
           {"PLTE", "123"},            // a proposal where pixels have colours of their own
           {"acTL", u32(1) + u32(0)},  // an animation of one frame
           {"tRNS", "\0\1\0\2\0\3"s},
           {"iTXt", "key"},
           {"iTXt", "key\0\0"s},                  // no method
           {"iTXt", "key\0\0\0"s},                // no language
           {"iTXt", "key\0\0\0en\0"s},            // no translated keyword
           {"iTXt", "key\0\0\0en\0key\0value"s},  // not compressed
           {"iTXt", "key\0\1\1en\0key\0value"s},  // an unknown method
           {"iTXt", "key\0\1\0en\0key\0"s + deflated("value")},
           {"iCCP", "k\0\0"s + fine.substr(0, fine.size() - 4)},  // as much as may be, but for its checksum
           {"zTXt", "k\0\0"s + fine.substr(0, fine.size() - 4)},
       })
    EXPECT_EQ(pixels_of(with(type, content)), kPixels) << type << " " << content.size();
}

TEST(PngChunks, WhatIsRefusedIsNamedByItsPlace) {
  const auto message = [](const std::string& png) { return std::string(error_of([&] { decoded_png(png); }).what()); };
  const std::string behind_header = " at offset 33: ";
  EXPECT_EQ(message(with("tRNS", "\0\1\0"s)), "x.png: PNG: chunk tRNS" + behind_header + "too short");
  EXPECT_EQ(message(png_header(2, 2, 8, 0) + chunk("tRNS", "\1")),
            "x.png: PNG: chunk tRNS" + behind_header + "too short");
  EXPECT_EQ(message(with("gAMA", "\1")), "x.png: PNG: chunk gAMA" + behind_header + "too short");
  for (const std::string type : {"IEND", "fdAT"})
    EXPECT_EQ(message(with(type, u32(0))), "x.png: PNG: chunk " + type + behind_header + "comes before any image data");
  for (const std::string& type : {"ab\xE9"s + "d", "ab d"s, "ab\0d"s})
    EXPECT_EQ(message(with(type, "x")), "x.png: PNG: no chunk at offset 33 where image data should come");
  EXPECT_EQ(message(with("iTXt", "k\0\1\0\0\0"s + deflated(std::string((1 << 20) + 1, '\0')))),
            "x.png: PNG: chunk iTXt" + behind_header + "inflates to more than 1 MiB");
  const std::string header = png_header(2, 2);
  for (const size_t missing : {1, 2, 4})
    EXPECT_EQ(message(header.substr(0, header.size() - missing)),
              "x.png: PNG: chunk IHDR at offset 8: the file ends before the checksum");
  EXPECT_EQ(message(header.substr(0, 27)), "x.png: PNG: chunk IHDR at offset 8: the file ends inside");
}

TEST(PngChunks, ImageDataMayGoOnUnderAnotherName) {
  const std::string data = deflated(kRows);
  EXPECT_EQ(pixels_of(png_header(2, 2) + chunk("IDAT", data.substr(0, 5)) + chunk("DDAT", data.substr(5)) + kEnd),
            kPixels);
}

TEST(PngChunks, FramesOfAnAnimation) {
  const auto frame = [](uint32_t width, uint32_t height) {
    return chunk("fcTL", u32(0) + u32(width) + u32(height) + u32(0) + u32(0) + "\0\1\0\1\0\0"s);
  };
  const std::string data = chunk("IDAT", deflated(kRows));
  EXPECT_EQ(pixels_of(png_header(2, 2) + data + frame(2, 2) + chunk("tEXt", "more") + kEnd), kPixels)
      << "one after the image, which is none of an animation";
  EXPECT_EQ(pixels_of(png_header(2, 2) + chunk("acTL", u32(1) + u32(0)) + data + frame(2, 2) + frame(2, 2) + kEnd),
            kPixels)
      << "frames behind the image, which is none of them, are not looked at";
  for (const auto& part : {frame(1, 2), frame(2, 1)})
    EXPECT_EQ(png_code(png_header(2, 2) + chunk("acTL", u32(2) + u32(0)) + part + data + kEnd),
              ErrorCode::kUnsupported);
}

/// A stream that ends behind a row is all that there is: Pillow leaves the rest black.
TEST(PngChunks, RowsThatTheStreamDoesNotHaveAreBlack) {
  std::vector<uint8_t> expected = kPixels;
  expected.resize(3 * 6);
  EXPECT_EQ(pixels_of(png_header(2, 3) + chunk("IDAT", deflated(kRows)) + kEnd), expected);
  const std::string first_passes = "\0\1\2\3\0\4\5\6"s;  // of Adam7
  EXPECT_EQ(pixels_of(png_header(2, 3, 8, 2, true) + chunk("IDAT", deflated(first_passes)) + kEnd),
            (std::vector<uint8_t>{1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 5, 6, 0, 0, 0}));
}

TEST(PngChunks, GreyOfSixteenBitsIsCutOff) {
  const std::string row = "\0\0\0\0\7\0\xFF\1\0\xFF\xFF"s;
  EXPECT_EQ(pixels_of(png_header(5, 1, 16, 0) + chunk("IDAT", deflated(row)) + kEnd),
            (std::vector<uint8_t>{0, 0, 0, 7, 7, 7, 255, 255, 255, 255, 255, 255, 255, 255, 255}));
}

/// 75 MB of pixels, and as many bytes of data as the best compression leaves of them.
TEST(PngChunks, LargeImagesNeedTheirData) {
  const auto open = [](size_t bytes) {
    const std::string png = png_header(5000, 5000) + chunk("IDAT", std::string(bytes, 'x'));
    return open_image(bytes_of(png), "x.png")->size();
  };
  EXPECT_EQ(open(75'005'000 / 1032), (ImageSize{5000, 5000}));
  EXPECT_STREQ(error_of([&] { open(72'000); }).what(),
               "x.png: PNG: 72045 bytes cannot hold the 5000 x 5000 pixels of the header");
}

}  // namespace
}  // namespace effdet::vision
