// Orientation tags in both byte orders and file formats, and nonsense in their place.
#include "vision/exif.h"

#include "effdet/image.h"
#include "vision/decode.h"
#include "vision/encode.h"
#include "vision/jpeg_test_util.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

/// EXIF data with a tag before the orientation, as Pillow writes them.
std::string tiff(int orientation, bool big_endian = true, int type = 3) {
  const auto number = [&](uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
    return text;
  };
  const std::string value = type == 4 ? number(static_cast<uint32_t>(orientation), 4)
                                      : number(static_cast<uint32_t>(orientation), 2) + "\0\0"s;
  return (big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(2, 2) +  //
         number(0x0100, 2) + number(4, 2) + number(1, 4) + number(640, 4) +          //
         number(0x0112, 2) + number(static_cast<uint32_t>(type), 2) + number(1, 4) + value + number(0, 4);
}

std::string jpeg(const std::string& exif) {
  return "\xFF\xD8" + segment_of(0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0"s) +
         segment_of(0xE1, "http://ns.adobe.com/xap/1.0/\0<x/>"s) + segment_of(0xE1, "Exif\0\0"s + exif) + "\xFF\xD9";
}

int orientation(const std::string& file) { return image_orientation(bytes_of(file)); }

TEST(Exif, OrientationOfJpegInBothByteOrders) {
  for (int value = 1; value <= 8; ++value)
    for (const bool big_endian : {true, false})
      for (const int type : {3, 4}) EXPECT_EQ(orientation(jpeg(tiff(value, big_endian, type))), value);
}

TEST(Exif, OrientationOfPng) {
  const auto plain = encode_png(Image(2, 2));
  std::string png(reinterpret_cast<const char*>(plain.data()), plain.size());
  EXPECT_EQ(orientation(png), 1);
  for (const std::string& tag : {""s, "Exif\0\0"s}) {
    const std::string body = tag + tiff(6);
    std::string with = png;
    with.insert(with.size() - 12,
                "\0\0\0"s + static_cast<char>(body.size()) + "eXIf" + body + "\0\0\0\0"s);  // before IEND
    EXPECT_EQ(orientation(with), 6);
  }
}

TEST(Exif, WhatMakesNoSenseIsUpright) {
  for (const int value : {0, 9, 65535}) EXPECT_EQ(orientation(jpeg(tiff(value))), 1);
  EXPECT_EQ(orientation(jpeg(tiff(6, true, 2))), 1);
  EXPECT_EQ(orientation(jpeg("XX" + tiff(6).substr(2))), 1);
  EXPECT_EQ(orientation("GIF89a"), 1);
  EXPECT_EQ(orientation(""), 1);
}

/// As Pillow writes it: in the EXIF data of WebP, and in properties of the picture of AVIF.
TEST(Exif, OrientationOfAvifAndWebp) {
  for (int value = 2; value <= 8; ++value)
    if (const std::string name = "exif_" + std::to_string(value) + ".avif"; is_image_name(name)) {
      EXPECT_EQ(orientation(sample(name)), value);
    }
  for (const auto& [name, expected] : {std::pair{"ycc_444.avif", 1}, {"exif_6.webp", 6}, {"lossy.webp", 1}}) {
    if (!is_image_name(name)) continue;
    EXPECT_EQ(orientation(sample(name)), expected) << name;
  }
}

TEST(Exif, WhatStandsBetweenSegmentsIsSkipped) {
  const std::string exif = segment_of(0xE1, "Exif\0\0"s + tiff(6)), start = "\xFF\xD8";
  for (const std::string& between : {"junk\0"s, "\xFF\xFF"s, "\xFF\0"s, "\xFF\xD0\xFF\xD7\xFF\xD8"s, "\xFF\1"s,
                                     "\xFF\xBF"s, "\xFF\xE0\0\0"s, segment_of(0xE1, "Exif"), segment_of(0xC4, "")})
    EXPECT_EQ(orientation(start + "\xFF" + between.substr(between[0] == '\xFF') + exif), 6) << between.size();
  EXPECT_EQ(orientation(start + segment_of(0xDA, "") + exif), 1) << "behind the first scan";
  EXPECT_EQ(orientation(start + "\xFF\xFE\xFF\xFF" + exif), 1) << "inside of a comment that is cut";
}

TEST(Exif, DirectoriesThatReachPastTheEnd) {
  std::string far = tiff(6, false), many = far, cut = far;
  far[7] = '\x7F';
  EXPECT_EQ(orientation(jpeg(far)), 1) << "a directory behind the data";
  many[8] = many[9] = '\xFF';
  EXPECT_EQ(orientation(jpeg(many)), 6) << "the entry is there";
  many[22] = '\0';
  EXPECT_EQ(orientation(jpeg(many)), 1) << "65535 entries, of which two are there, and none of them it";
  cut.resize(cut.size() - 4 - 4);
  EXPECT_EQ(orientation(jpeg(cut)), 1) << "an entry without its value";
  const std::string signature = "\x89PNG\r\n\x1A\n";
  EXPECT_EQ(orientation(signature + "\x7F\0\0\0eXIf"s + tiff(6)), 1) << "a chunk that is cut";
}

TEST(Exif, FilesCutAnywhereAreRead) {
  for (const std::string& file : {jpeg(tiff(6)), jpeg(tiff(6, false))})
    for (size_t length = 0; length < file.size(); ++length) {
      const std::string cut = file.substr(0, length);  // of its own, so that sanitizers see what lies past the end
      const int found = orientation(cut);
      EXPECT_TRUE(found == 1 || found == 6) << length;
      std::string changed = file;
      changed[length] = '\xFF';
      orientation(changed);
    }
}

/// Values are those of Pillow's ImageOps.exif_transpose for the pixels 0 1 2 / 3 4 5.
TEST(Exif, UprightEqualsPillow) {
  const std::vector<std::vector<int>> expected = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
                                                  {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
                                                  {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  Image image(3, 2);
  for (size_t i = 0; i < 6; ++i) image.pixels()[3 * i] = static_cast<uint8_t>(i);
  for (int value = 1; value <= 8; ++value) {
    const auto turned = upright(std::make_unique<PixelRows>(image), value);
    const auto [width, height] = turned->size();
    EXPECT_EQ(width, swaps_sides(value) ? 2 : 3);
    std::vector<uint8_t> whole(18), by_rows(18);
    upright(std::make_unique<PixelRows>(image), value)->read_all(whole.data());
    for (int y = 0; y < height; ++y) turned->read_rows(by_rows.data() + 3 * width * y, 0, 1);
    EXPECT_EQ(whole, by_rows);
    std::vector<int> pixels;
    for (size_t i = 0; i < 6; ++i) pixels.push_back(whole[3 * i]);
    EXPECT_EQ(pixels, expected[static_cast<size_t>(value - 1)]) << value;
  }
}

}  // namespace
}  // namespace effdet::vision
