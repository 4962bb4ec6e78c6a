// BMP, GIF and WebP files in the making: what writers rarely write, and headers that lie. Values are those of
// Pillow 13.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <vector>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

using namespace std::string_literals;

std::string little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

/// Red of every pixel: of grey pictures all there is.
std::vector<int> reds(const std::string& file) {
  const Image image = decode_image(bytes_of(file), "x");
  std::vector<int> values;
  for (size_t i = 0; i < image.pixels().size(); i += 3) values.push_back(image.pixels()[i]);
  return values;
}

std::string blocks(const std::string& data) {
  std::string text;
  for (size_t at = 0; at < data.size(); at += 255) {
    const std::string block = data.substr(at, 255);
    text += static_cast<char>(block.size()) + block;
  }
  return text + '\0';
}

/// Without a palette, so that an index is its grey.
std::string gif(int width, int height, int bits, const std::string& data, bool interlaced = false,
                const std::string& extension = "") {
  const std::string size = little(static_cast<uint64_t>(width), 2) + little(static_cast<uint64_t>(height), 2);
  return "GIF89a" + size + "\0\0\0"s + extension + ",\0\0\0\0"s + size + (interlaced ? '\x40' : '\0') +
         static_cast<char>(bits) + blocks(data) + ";";
}

/// Codes of so many bits, lowest first.
class Codes {
 public:
  Codes& put(uint32_t code, int bits) {
    held_ |= uint64_t{code} << count_;
    for (count_ += bits; count_ >= 8; count_ -= 8, held_ >>= 8) bytes_ += static_cast<char>(held_);
    return *this;
  }
  std::string bytes() const { return count_ > 0 ? bytes_ + static_cast<char>(held_) : bytes_; }

 private:
  std::string bytes_;
  uint64_t held_ = 0;
  int count_ = 0;
};

/// LZW of 8 bits whose table is never emptied once it is full.
std::string compressed_once(const std::vector<int>& indices) {
  constexpr uint32_t kClear = 256, kEnd = 257;
  std::map<std::pair<uint32_t, int>, uint32_t> table;
  uint32_t next = kEnd + 1;
  int bits = 9;
  Codes codes;
  codes.put(kClear, bits);
  auto code = static_cast<uint32_t>(indices[0]);
  for (size_t i = 1; i < indices.size(); ++i) {
    if (const auto known = table.find({code, indices[i]}); known != table.end()) {
      code = known->second;
      continue;
    }
    codes.put(code, bits);
    if (next < 4096) table[{code, indices[i]}] = next++;
    if (next - 1 == 1u << bits && bits < 12) ++bits;
    code = static_cast<uint32_t>(indices[i]);
  }
  return codes.put(code, bits).put(kEnd, bits).bytes();
}

TEST(Gif, AFullTableStays) {
  std::vector<int> noise(100 * 90);
  uint32_t seed = 1;
  for (int& index : noise) index = static_cast<int>((seed = seed * 1664525 + 1013904223) >> 24);
  EXPECT_EQ(reds(gif(100, 90, 8, compressed_once(noise))), noise);
}

TEST(Gif, RowsOfLowInterlacedFrames) {
  const std::vector<std::vector<int>> expected = {{0},
                                                  {0, 1},
                                                  {0, 2, 1},
                                                  {0, 2, 1, 3},
                                                  {0, 3, 2, 4, 1},
                                                  {0, 3, 2, 4, 1, 5},
                                                  {0, 4, 2, 5, 1, 6, 3},
                                                  {0, 4, 2, 5, 1, 6, 3, 7},
                                                  {0, 5, 3, 6, 2, 7, 4, 8, 1}};
  for (size_t height = 1; height <= expected.size(); ++height) {
    std::vector<int> stored(height);
    std::iota(stored.begin(), stored.end(), 0);
    EXPECT_EQ(reds(gif(1, static_cast<int>(height), 8, compressed_once(stored), true)), expected[height - 1]);
  }
}

/// Codes of three bits: 4 empties the table, 5 is the end, and 6 the first that comes to be.
TEST(Gif, CodesThatNobodyKnows) {
  const auto two_pixels = [](const std::vector<uint32_t>& list) {
    Codes codes;
    for (const uint32_t code : list) codes.put(code, 3);
    return gif(2, 1, 2, codes.bytes());
  };
  EXPECT_EQ(reds(two_pixels({4, 1, 6, 5})), (std::vector<int>{1, 1})) << "the one that is being added";
  EXPECT_EQ(reds(two_pixels({1, 1, 5})), (std::vector<int>{1, 1})) << "without a first 4";
  EXPECT_EQ(reds(two_pixels({4, 1, 2, 3, 1, 5})), (std::vector<int>{1, 2})) << "more than there are pixels";
  EXPECT_EQ(refusal(two_pixels({6, 5})), "x: GIF: broken data: code 6, where 6 are known");
  EXPECT_EQ(refusal(two_pixels({4, 6, 5})), "x: GIF: broken data: code 6, where 6 are known");
  EXPECT_EQ(refusal(two_pixels({4, 1, 7, 5})), "x: GIF: broken data: code 7, where 6 are known");
  EXPECT_EQ(refusal(two_pixels({4, 1, 5})), "x: GIF: cut short: the data end after 1 of 2 pixels");
}

TEST(Gif, ExtensionsThatSayNothing) {
  const std::string data = Codes().put(4, 3).put(1, 3).put(2, 3).put(5, 3).bytes();
  for (const std::string& extension : {"!\xF9\3\1\0\0\0"s, "!\xF9\5\1\0\0\1\7\0"s, "!\xF9\4\0\0\0\1\0"s, "!\xF9\0"s,
                                       "!\xFF\x0BNETSCAPE2.0\3\1\0\0\0"s, "!\1\4\1\2\3\4\0"s})
    EXPECT_EQ(reds(gif(2, 1, 2, data, false, extension)), (std::vector<int>{1, 2}));
}

TEST(Gif, ColoursThatThePaletteDoesNotHave) {
  const auto with_colours = [](const std::string& colours) {
    const std::string size = "\3\0\1\0"s;
    return "GIF89a" + size + "\x81\0\0"s + colours + ",\0\0\0\0"s + size + "\0\3"s +
           blocks(Codes().put(8, 4).put(1, 4).put(3, 4).put(7, 4).put(9, 4).bytes()) + ";";
  };
  EXPECT_EQ(reds(with_colours("\x0A\0\0\x14\0\0\x1E\0\0\x28\0\0"s)), (std::vector<int>{20, 40, 0}));
  EXPECT_EQ(reds(with_colours("\0\0\0\1\1\1\2\2\2\3\3\3"s)), (std::vector<int>{1, 3, 7}));
}

/// The format has 8, other programs have written up to 11. Indices are bytes all the same.
TEST(Gif, CodesOfMoreBits) {
  for (const int bits : {9, 11}) {
    const uint32_t clear = 1u << bits;
    const std::string data =
        Codes().put(clear, bits + 1).put(7, bits + 1).put(258, bits + 1).put(clear + 1, bits + 1).bytes();
    EXPECT_EQ(reds(gif(2, 1, bits, data)), (std::vector<int>{7, 2})) << bits;
  }
}

TEST(Gif, LargeFramesNeedTheirData) {
  const auto open = [](size_t bytes) {
    std::string file = gif(5000, 5000, 8, std::string(bytes - 30, 'x'));
    file.resize(bytes, '\0');
    return open_image(bytes_of(file), "x")->size();
  };
  EXPECT_EQ(open(75'000'000 / (1 << 14)), (ImageSize{5000, 5000}));
  EXPECT_STREQ(error_of([&] { open(4000); }).what(),
               "x: 4000 bytes for the 5000 x 5000 pixels of the header; no picture is so small");
}

struct Bmp {
  int width = 3, height = 2;
  uint32_t bits = 8, compression = 0, colours = 0, offset = 0;
};

/// With a header of 40 bytes; an offset of 0 is one that the writer left out.
std::string bmp(const Bmp& bmp, const std::string& behind) {
  return "BM" + little(54 + behind.size(), 4) + little(0, 4) + little(bmp.offset, 4) + little(40, 4) +
         little(static_cast<uint64_t>(bmp.width), 4) + little(static_cast<uint64_t>(bmp.height), 4) + little(1, 2) +
         little(bmp.bits, 2) + little(bmp.compression, 4) + little(0, 12) + little(bmp.colours, 4) + little(0, 4) +
         behind;
}

const std::string kThreeColours = "\x0A\x0A\x0A\0\x14\x14\x14\0\x1E\x1E\x1E\0"s;

TEST(Bmp, PixelsBehindThePaletteWhereNobodySaysWhere) {
  const std::string rows = "\0\1\2\0\2\1\0\0"s;
  for (const uint32_t offset : {0u, 54u, 66u})
    EXPECT_EQ(reds(bmp({.colours = 3, .offset = offset}, kThreeColours + rows)),
              (std::vector<int>{30, 20, 10, 10, 20, 30}))
        << offset;
  EXPECT_EQ(reds(bmp({.width = 2, .height = 1, .bits = 24}, "\1\2\3\4\5\6\0\0"s)), (std::vector<int>{3, 6}));
}

/// Pillow has them black; but it takes indices for greys where all colours are.
TEST(Bmp, ColoursThatThePaletteDoesNotHave) {
  const std::string rows = "\0\2\6\0\1\3\xFF\0"s, greys = "\0\0\0\0\1\1\1\0\2\2\2\0"s;
  EXPECT_EQ(reds(bmp({.colours = 3}, kThreeColours + rows)), (std::vector<int>{20, 0, 0, 10, 30, 0}));
  EXPECT_EQ(reds(bmp({.colours = 3}, greys + rows)), (std::vector<int>{1, 3, 255, 0, 2, 6}));
}

/// Pillow takes such a file for one of a bit a pixel, whatever it says.
TEST(Bmp, BlackAndWhiteOfEightBits) {
  const std::string colours = "\0\0\0\0\xFF\xFF\xFF\0"s;
  EXPECT_EQ(reds(bmp({.colours = 2}, colours + "\0\1\1\0\1\0\0\0"s)), (std::vector<int>{255, 0, 0, 0, 255, 255}));
}

TEST(Bmp, RunsThatReachTooFar) {
  const Bmp header{.compression = 1, .colours = 3};
  EXPECT_EQ(reds(bmp(header, kThreeColours + "\x09\1\0\0\3\2\0\1"s)), (std::vector<int>{30, 30, 30, 20, 20, 20}))
      << "cut at the end of the row";
  EXPECT_EQ(reds(bmp(header, kThreeColours + "\0\2\2\1\1\1\0\1"s)), (std::vector<int>{10, 10, 20, 10, 10, 10}))
      << "a step to the right and up";
  EXPECT_EQ(refusal(bmp(header, kThreeColours + "\3\1\0\1"s)), "x: BMP: the data end after 3 of 6 pixels");
  EXPECT_EQ(refusal(bmp(header, kThreeColours + "\3\1"s)),
            "x: BMP: cut short: 1 bytes at offset 68 are wanted, and the file has 68");
}

TEST(Bmp, HeadersThatLie) {
  const std::string advice = "; convert it to JPEG or PNG";
  EXPECT_EQ(refusal(bmp({.bits = 24, .compression = 1}, std::string(24, 'x'))), "x: BMP: compression 1" + advice);
  EXPECT_EQ(refusal(bmp({.bits = 24, .compression = 2}, std::string(24, 'x'))), "x: BMP: compression 2" + advice);
  EXPECT_EQ(refusal(bmp({.compression = 6}, std::string(24, 'x'))), "x: BMP: compression 6" + advice);
  EXPECT_EQ(refusal(bmp({.bits = 2}, std::string(64, 'x'))), "x: BMP: 2 bits a pixel" + advice);
  EXPECT_EQ(refusal(bmp({.colours = 70'000}, kThreeColours)), "x: BMP: a palette of 70000 colours");
  EXPECT_EQ(refusal(bmp({.colours = 3}, kThreeColours + "123456")),
            "x: BMP: cut short: 3 bytes at offset 70 are wanted, and the file has 72");
  EXPECT_EQ(refusal(bmp({.width = 0, .colours = 3}, kThreeColours)), "x: the header says 0 x 2 pixels");
}

/// An extended header that announces an animation, and what follows it.
std::string webp(const std::string& chunks, char flags = 2) {
  const std::string extended = "VP8X" + little(10, 4) + std::string{flags, 0, 0, 0} + little(15, 3) + little(7, 3);
  return "RIFF" + little(4 + extended.size() + chunks.size(), 4) + "WEBP" + extended + chunks;
}

TEST(Webp, AnimationsWithoutAPicture) {
  const std::string frame = "ANMF" + little(16, 4) + little(0, 6) + little(15, 3) + little(7, 3) + little(100, 4);
  EXPECT_EQ(refusal(webp("")), "x: WebP: an animation without a frame");
  EXPECT_EQ(refusal(webp("ANIM" + little(6, 4) + little(0, 6))), "x: WebP: an animation without a frame");
  EXPECT_EQ(refusal(webp("ANMF" + little(3, 4) + "abc\0"s)), "x: WebP: an animation without a frame");
  EXPECT_EQ(refusal(webp(frame)), "x: WebP: a frame without a picture");
  EXPECT_EQ(refusal(webp(frame + "VP8 " + little(2, 4) + "ab")), "x: WebP: a frame without a picture")
      << "outside of the frame";
  EXPECT_EQ(refusal(webp("", 0)), "x: WebP: broken or cut short");
  EXPECT_EQ(image_orientation(bytes_of(webp("EXIF" + little(100, 4) + "II*\0"s))), 1) << "cut";
  EXPECT_EQ(image_orientation(bytes_of(webp("EXI"))), 1);
}

}  // namespace
}  // namespace effdet::vision
