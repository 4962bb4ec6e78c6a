// PNM files in the making: comments, blanks and headers that lie. Values are those of Pillow 13.
#include <gtest/gtest.h>

#include <vector>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

std::vector<int> pixels(const std::string& file) {
  const Image image = decode_image(bytes_of(file), "x");
  return {image.pixels().begin(), image.pixels().end()};
}

TEST(Pnm, CommentsAndBlanksAnywhere) {
  const std::vector<int> expected{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(pixels("P3\n2 1\n255\n1 2 3 4 5 6\n"), expected);
  EXPECT_EQ(pixels("P3 2 1 255 1 2 3 4 5 6"), expected) << "no line at all";
  EXPECT_EQ(pixels("P3\r\n#a\r\n2\f1 #b\r255\t1 2\n#c 9 9\n3 4 5 6 7 8"), expected);
  EXPECT_EQ(pixels("P3\v2\f1 255 1 2 3 4 5 6 \x1A"), expected) << "DOS ends texts so";
  EXPECT_EQ(pixels("P3 2#a\n 1 255 1 2 3 4 5#b\n 6"), expected);
  EXPECT_EQ(pixels("P6\n2 1\n255\n\1\2\3\4\5\6"), expected);
  EXPECT_EQ(pixels("P6\r\n\v2\f1\t255\n\1\2\3\4\5\6"), expected);
  EXPECT_EQ(pixels("P6\n#a\n2 1 #b\n#c\n255 \1\2\3\4\5\6 and more"), expected);
}

/// Also where it looks like the rest of the header: one blank ends that.
TEST(Pnm, RawSamplesBeginBehindOneBlank) {
  EXPECT_EQ(pixels("P5 2 1 255\n\n#"), (std::vector<int>{10, 10, 10, 35, 35, 35}));
  EXPECT_EQ(pixels("P4 8 1\n\x0A"), pixels("P1 8 1 00001010"));
}

TEST(Pnm, BitsMayTouch) {
  const std::vector<int> expected{0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(pixels("P1 2 2 10\n11"), expected);
  EXPECT_EQ(pixels("P1 2 2 1011"), expected);
  EXPECT_EQ(pixels("P1 2 2 1 0#and\n1 1 0 0"), expected);
  EXPECT_EQ(pixels("P4 2 2 \x80\xC0"s), expected) << "each row begins with a byte";
}

TEST(Pnm, SamplesAboveTheLargest) {
  EXPECT_EQ(pixels("P5 2 1 100 \x32\xFF"), (std::vector<int>{128, 128, 128, 255, 255, 255}));
  EXPECT_EQ(pixels("P6 1 1 300 \1\x2C\1\x2D\xFF\xFF"s), (std::vector<int>{255, 255, 255}));
  EXPECT_EQ(refusal("P2 2 1 100 50 101"), "x: PNM: a sample is 101 before offset 17, and the largest is 100");
}

/// Pillow takes them for 16 bits, and clips those.
TEST(Pnm, GreysOfMoreBits) {
  const std::vector<int> expected{1, 1, 1, 200, 200, 200, 255, 255, 255};
  EXPECT_EQ(pixels("P5 3 1 65535 \0\1\0\xC8\1\0"s), expected);
  EXPECT_EQ(pixels("P2 3 1 65535 1 200 256"), expected);
  EXPECT_EQ(pixels("P5 3 1 4095 \0\0\0\1\0\xFF"s), (std::vector<int>{0, 0, 0, 16, 16, 16, 255, 255, 255}));
  EXPECT_EQ(pixels("P2 3 1 300 0 1 2"), (std::vector<int>{0, 0, 0, 218, 218, 218, 255, 255, 255}));
}

TEST(BadInput, PnmThatIsNone) {
  EXPECT_EQ(refusal("P5 \n#"), "x: a text: it holds no image; give a picture, as JPEG or PNG");
  EXPECT_EQ(refusal("P5 -1 1 255 a"), "x: a text: it holds no image; give a picture, as JPEG or PNG");
  EXPECT_EQ(refusal("P5 12"), "x: PNM: cut short: the height is missing at offset 5");
  EXPECT_EQ(refusal("P5 1 1"), "x: PNM: cut short: the largest sample is missing at offset 6");
  EXPECT_EQ(refusal("P5 1x 1 255 a"), "x: PNM: the width is no number at offset 4");
  EXPECT_EQ(refusal("P5 1 -1 255 a"), "x: PNM: the height is no number at offset 5");
  EXPECT_EQ(refusal("P5 1 4294967296 255 a"), "x: PNM: the height is larger than 4294967295 at offset 14");
  EXPECT_EQ(refusal("P5 0 1 255 a"), "x: the header says 0 x 1 pixels");
  EXPECT_EQ(refusal("P5 20000 20000 255 a"),
            "x: the header says 20000 x 20000 pixels, more than the 178956970 that an image may have");
  EXPECT_EQ(refusal("P5 1 1 0 a"), "x: PNM: the largest sample is 0 instead of 1 to 65535");
  EXPECT_EQ(refusal("P5 1 1 65536 ab"), "x: PNM: the largest sample is 65536 instead of 1 to 65535");
  EXPECT_EQ(refusal("P6 2 1 255 abcde"), "x: PNM: cut short: 6 bytes at offset 11 are wanted, and the file has 16");
  EXPECT_EQ(refusal("P4 9 1 a"), "x: PNM: cut short: 2 bytes at offset 7 are wanted, and the file has 8");
  EXPECT_EQ(refusal("P2 13000 13000 255 1 2 3"),
            "x: PNM: cut short: 337999999 bytes at offset 19 are wanted, and the file has 24");
  EXPECT_EQ(refusal("P2 3 1 255 1 23 "), "x: PNM: cut short: a sample is missing at offset 16");
  EXPECT_EQ(refusal("P1 3 1 01#2"), "x: PNM: cut short: a pixel is missing at offset 11");
  EXPECT_EQ(refusal("P1 3 1 012"), "x: PNM: a pixel is neither 0 nor 1 at offset 9");
}

}  // namespace
}  // namespace effdet::vision
