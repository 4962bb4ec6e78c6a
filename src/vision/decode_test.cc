// Decoded images against Pillow's pixels, by hash, and errors that name the file.
#include "vision/decode.h"

#include <gtest/gtest.h>

#include "effdet/image.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

TEST(Decode, EverySampleIsWhatPillowReads) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode") continue;
    SCOPED_TRACE(line.file);
    if (!is_image_name(line.file)) continue;  // the build has no reader for it
    const Image image = decode_image(images_folder() / line.file);
    EXPECT_EQ(image.size(), (ImageSize{line.width, line.height}));
    EXPECT_EQ(read_image_size(images_folder() / line.file), image.size());
    EXPECT_EQ(sha256_of(std::as_bytes(image.pixels())), line.sha256);
    ++count;
  }
  EXPECT_GE(count, 60u);
}

TEST(Decode, HelperHashesAsTheStandardSays) {
  EXPECT_EQ(sha256_of(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Decode, ErrorsNameTheFile) {
  const std::string data = sample("ycc_420.jpg").substr(0, 400);
  const Error error = error_of([&] { decode_image(bytes_of(data), "folder/an image.jpg"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("folder/an image.jpg: JPEG: "), std::string::npos) << error.what();
}

TEST(Decode, CopiesOfAnImageAreDeep) {
  const Image image = decode_image(images_folder() / "type2_8bit.png");
  Image copy = image;
  copy.row(0)[0] ^= 1;
  EXPECT_NE(copy.row(0)[0], image.row(0)[0]);
  copy = image;
  EXPECT_TRUE(std::ranges::equal(copy.pixels(), image.pixels()));
}

/// HEIC is no format of Pillow's: what pillow-heif 1.8.1 gave at some places, within one step of rounding.
TEST(Decode, Heic) {
  if (!is_image_name("x.heic")) GTEST_SKIP() << "built without libheif";
  const Image image = decode_image(images_folder() / "waves.heic");
  ASSERT_EQ(image.size(), (ImageSize{64, 48}));
  struct Pixel {
    int x, y, rgb[3];
  };
  for (const Pixel& pixel : {Pixel{0, 0, {124, 128, 131}}, Pixel{63, 0, {213, 181, 134}}, Pixel{17, 9, {125, 40, 0}},
                             Pixel{40, 31, {196, 0, 254}}, Pixel{5, 47, {220, 232, 38}}, Pixel{63, 47, {229, 15, 145}}})
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(image.row(pixel.y)[3 * pixel.x + c], pixel.rgb[c], 1) << pixel.x;
}

/// A sample with a number of two bytes in it changed.
ErrorCode code_with(const std::string& name, size_t at, uint16_t value) {
  std::string data = sample(name);
  data[at] = static_cast<char>(value & 0xFF);
  data[at + 1] = static_cast<char>(value >> 8);
  return error_of([&] { decode_image(bytes_of(data), name); }).code();
}

TEST(BadInput, BmpHeadersThatAreNone) {
  EXPECT_EQ(code_with("rgb.bmp", 14, 41), ErrorCode::kUnsupported) << "bytes of the header";
  EXPECT_EQ(code_with("rgb.bmp", 28, 3), ErrorCode::kUnsupported) << "bits a pixel";
  EXPECT_EQ(code_with("rgb.bmp", 30, 4), ErrorCode::kUnsupported) << "JPEG in it";
  EXPECT_EQ(code_with("p.bmp", 30, 3), ErrorCode::kUnsupported) << "masks for a palette";
  EXPECT_EQ(code_with("rgb565.bmp", 54, 0xFF00), ErrorCode::kUnsupported) << "another mask";
  EXPECT_EQ(code_with("rgb.bmp", 18, 0), ErrorCode::kBadInput) << "no columns";
}

TEST(BadInput, GifFramesThatAreNone) {
  const auto code = [](const std::string& behind_screen) {
    const std::string data = std::string("GIF89a\1\0\1\0\0\0\0", 13) + behind_screen;
    return error_of([&] { decode_image(bytes_of(data), "x.gif"); }).code();
  };
  const std::string place(",\0\0\0\0", 5), one("\1\0\1\0\0", 5), data("\2\x44\1\0;", 5);
  EXPECT_EQ(code(";"), ErrorCode::kBadInput) << "no image";
  EXPECT_EQ(code(place + std::string("\0\0\1\0\0\2", 6) + data), ErrorCode::kBadInput) << "no columns";
  EXPECT_EQ(code(place + std::string("\1\0\0\0\0\2", 6) + data), ErrorCode::kBadInput) << "no rows";
  for (const char bits : {'\0', '\x0C'})
    EXPECT_EQ(code(place + one + bits + data), ErrorCode::kBadInput) << "bits of codes";
  const std::string extension("!\xFE\3abc\0", 7);  // a comment may come first
  EXPECT_NO_THROW(
      decode_image(bytes_of(std::string("GIF89a\1\0\1\0\0\0\0", 13) + extension + place + one + "\2" + data), "x.gif"));
}

TEST(Decode, CutAnywhereIsAnErrorAndNothingWorse) {
  for (const char* name :
       {"rle8.bmp", "p16.bmp", "interlaced.gif", "plain_700.ppm", "raw_300.ppm", "raw.pbm", "lossy.webp",
        "lossless.webp", "rgb_lzw.tif", "fax.tif", "rgb_jpeg.tif", "ycc_420.avif", "waves.heic"}) {
    if (!is_image_name(name)) continue;
    const std::string whole = sample(name);
    for (size_t length = 0; length + 20 < whole.size(); length += whole.size() / 50 + 1) {
      const std::string cut = whole.substr(0, length);
      EXPECT_NE(error_of([&] { decode_image(bytes_of(cut), name); }).code(), ErrorCode::kInternal) << name << length;
    }
  }
}

TEST(Decode, OneChangedByteNeverCrashes) {
  for (const char* name :
       {"progressive_420.jpg", "ycck_by_adobe2.jpg", "type3_4bit_adam7.png", "type6_16bit.png", "rle8.bmp", "p16.bmp",
        "interlaced.gif", "moving.gif", "plain.pbm", "raw_300.pgm", "lossy.webp", "moving.webp", "rgb_lzw.tif",
        "ycbcr_jpeg.tif", "fax.tif", "uint16.tif", "ycc_420.avif", "deep_12_422_alpha_6.avif", "waves.heic"}) {
    if (!is_image_name(name)) continue;
    const std::string whole = sample(name);
    for (size_t at = 0; at < whole.size(); at += std::max<size_t>(3, whole.size() / 200))
      for (const char value : {'\0', '\x7F', '\xFF'}) {
        std::string changed = whole;
        changed[at] = value;
        try {
          decode_image(bytes_of(changed), name);
        } catch (const Error& error) {
          EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
        }
      }
  }
}

}  // namespace
}  // namespace effdet::vision
