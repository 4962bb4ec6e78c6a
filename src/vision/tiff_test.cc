// TIFF files as scanners and image libraries write them: tiles, colours with alpha in them, chroma of fewer pixels.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <tuple>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

enum Tag : uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamples = 277,
  kStripBytes = 279,
  kPlanar = 284,
  kColourMap = 320,
  kTileWidth = 322,
  kTileHeight = 323,
  kTileOffsets = 324,
  kTileBytes = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kChromaSteps = 530
};
enum Photometric : uint32_t { kWhiteIsZero = 0, kBlackIsZero = 1, kRgb = 2, kPalette = 3, kCmyk = 5, kYcbcr = 6 };
using Fields = std::map<uint16_t, std::vector<uint32_t>>;

template <typename T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A file of one page, little-endian. units: its strips, or its tiles where the fields have a tile's size.
std::string tiff(Fields fields, const std::vector<std::string>& units) {
  std::string file("II*\0\0\0\0\0", 8);
  std::vector<uint32_t> offsets, sizes;
  for (const std::string& unit : units) {
    offsets.push_back(static_cast<uint32_t>(file.size()));
    sizes.push_back(static_cast<uint32_t>(unit.size()));
    file += unit;
  }
  const bool tiled = fields.contains(kTileWidth);
  fields[tiled ? kTileOffsets : kStripOffsets] = offsets;
  fields[tiled ? kTileBytes : kStripBytes] = sizes;
  std::string directory;
  append(directory, static_cast<uint16_t>(fields.size()));
  for (const auto& [tag, values] : fields) {
    append(directory, tag);
    append(directory, uint16_t{4});  // LONG
    append(directory, static_cast<uint32_t>(values.size()));
    append(directory, values.size() == 1 ? values[0] : static_cast<uint32_t>(file.size()));
    if (values.size() > 1)
      for (const uint32_t value : values) append(file, value);
  }
  append(directory, uint32_t{0});
  const auto start = static_cast<uint32_t>(file.size());
  std::memcpy(&file[4], &start, sizeof start);
  return file + directory;
}

Image decoded(const std::string& file) { return decode_image(bytes_of(file), "x.tif"); }

uint8_t colour(int x, int y, int channel) { return static_cast<uint8_t>(5 * x + 3 * y + 40 * channel); }

TEST(Tiff, TilesReachBeyondTheImage) {
  constexpr int kSide = 16, kColumns = 40, kRows = 20;
  std::vector<std::string> tiles;
  for (int top = 0; top < kRows; top += kSide)
    for (int left = 0; left < kColumns; left += kSide) {
      std::string& tile = tiles.emplace_back();
      for (int y = top; y < top + kSide; ++y)
        for (int x = left; x < left + kSide; ++x)
          for (int channel = 0; channel < 3; ++channel) tile += static_cast<char>(colour(x, y, channel));
    }
  const Fields fields = {{kWidth, {kColumns}}, {kHeight, {kRows}},    {kBits, {8, 8, 8}},    {kPhotometric, {kRgb}},
                         {kSamples, {3}},      {kTileWidth, {kSide}}, {kTileHeight, {kSide}}};
  const Image image = decoded(tiff(fields, tiles));
  ASSERT_EQ(image.width(), kColumns);
  ASSERT_EQ(image.height(), kRows);
  for (int y = 0; y < kRows; ++y)
    for (int x = 0; x < kColumns; ++x)
      for (int channel = 0; channel < 3; ++channel)
        ASSERT_EQ(image.row(y)[3 * x + channel], colour(x, y, channel)) << x << ", " << y;
  tiles[5].resize(100);
  EXPECT_EQ(error_of([&] { decoded(tiff(fields, tiles)); }).code(), ErrorCode::kBadInput);
}

std::vector<int> numbers(const Image& image) { return {image.pixels().begin(), image.pixels().end()}; }

TEST(Tiff, ChannelsInPlanesOfTheirOwn) {
  Fields fields = {{kWidth, {2}},          {kHeight, {1}},  {kBits, {8, 8, 8}},
                   {kPhotometric, {kRgb}}, {kSamples, {3}}, {kPlanar, {2}}};
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\x01\x02", "\x11\x12", "\x21\x22"}))),
            (std::vector<int>{0x01, 0x11, 0x21, 0x02, 0x12, 0x22}));
  fields[kBits] = {16, 16, 16};  // of which the upper eight count
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\x01\x02\x03\x04", "\x11\x12\x13\x14", "\x21\x22\x23\x24"}))),
            (std::vector<int>{0x02, 0x12, 0x22, 0x04, 0x14, 0x24}));
}

/// Of a plane that no colour comes from the file need not have the data.
TEST(Tiff, PlanesOfOtherSamplesAreNotRead) {
  const Fields fields = {{kWidth, {2}},        {kHeight, {1}},  {kBits, {8, 8}}, {kPhotometric, {kBlackIsZero}},
                         {kExtraSamples, {0}}, {kSamples, {2}}, {kPlanar, {2}}};
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\x01\x02", ""}))), (std::vector<int>{1, 1, 1, 2, 2, 2}));
}

TEST(Tiff, WhiteMayBeZero) {
  Fields fields = {{kWidth, {3}}, {kHeight, {1}}, {kBits, {8}}, {kPhotometric, {kWhiteIsZero}}, {kSamples, {1}}};
  EXPECT_EQ(numbers(decoded(tiff(fields, {std::string("\x00\x64\xFF", 3)}))),
            (std::vector<int>{255, 255, 255, 155, 155, 155, 0, 0, 0}));
  fields.erase(kPhotometric);
  EXPECT_EQ(numbers(decoded(tiff(fields, {std::string("\x00\x64\xFF", 3)}))),
            (std::vector<int>{255, 255, 255, 155, 155, 155, 0, 0, 0}))
      << "and is where the file does not say, as in Pillow";
}

/// Many bits are cut off, as Pillow does.
TEST(Tiff, SignedGrey) {
  const Fields fields = {{kWidth, {3}},   {kHeight, {1}},      {kBits, {16}}, {kPhotometric, {kBlackIsZero}},
                         {kSamples, {1}}, {kSampleFormat, {2}}};
  EXPECT_EQ(numbers(decoded(tiff(fields, {std::string("\xFF\xFF\x64\x00\x00\x01", 6)}))),
            (std::vector<int>{0, 0, 0, 100, 100, 100, 255, 255, 255}));
}

TEST(BadInput, TiffFilesOfKindsThatAreNotRead) {
  const auto code = [](uint32_t photometric, std::vector<uint32_t> bits, uint32_t format = 1) {
    Fields fields = {{kWidth, {1}}, {kHeight, {1}}, {kPhotometric, {photometric}}};
    fields[kSamples] = {static_cast<uint32_t>(bits.size())};
    fields[kBits] = bits;
    fields[kSampleFormat] = std::vector<uint32_t>(bits.size(), format);
    return error_of([&] { decoded(tiff(fields, {std::string(32, 'x')})); }).code();
  };
  EXPECT_EQ(code(kBlackIsZero, {12}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(kBlackIsZero, {64}, 3), ErrorCode::kUnsupported);
  EXPECT_EQ(code(kBlackIsZero, {16}, 3), ErrorCode::kUnsupported) << "half floats";
  EXPECT_EQ(code(kRgb, {32, 32, 32}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(kRgb, {8, 8}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(kRgb, {32, 32, 32}, 3), ErrorCode::kUnsupported) << "floats";
  EXPECT_EQ(code(kCmyk, {8, 8, 8}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(kCmyk, {32, 32, 32, 32}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(8, {8, 8, 8}), ErrorCode::kUnsupported) << "CIE L*a*b*";
  for (const uint32_t photometric : {kBlackIsZero, kPalette, kRgb, kCmyk})
    EXPECT_EQ(code(photometric,
                   std::vector<uint32_t>(photometric == kCmyk  ? 4
                                         : photometric == kRgb ? 3
                                                               : 1,
                                         4),
                   2),
              photometric == kPalette ? ErrorCode::kBadInput : ErrorCode::kUnsupported)
        << "signed samples of few bits: " << photometric;
  EXPECT_EQ(code(kBlackIsZero, {1, 1}), ErrorCode::kUnsupported) << "few bits beside others";
  EXPECT_EQ(code(kBlackIsZero, {2, 2}), ErrorCode::kUnsupported);
}

TEST(BadInput, TiffSamplesThatPillowDoesNotReadEither) {
  const auto message = [](Fields fields) {
    fields.insert({{kWidth, {2}}, {kHeight, {1}}});
    return std::string(error_of([&] { decoded(tiff(fields, {std::string(64, 'x')})); }).what());
  };
  std::vector<uint32_t> colours(3 << 8);
  EXPECT_EQ(message({{kBits, {8}}, {kPhotometric, {kPalette}}, {kSampleFormat, {2}}, {kColourMap, colours}}),
            "x.tif: TIFF: 1 samples of 8 bits of type 2 with photometric interpretation 3; convert it to JPEG or PNG");
  colours.resize(3 << 3);
  EXPECT_EQ(message({{kBits, {3}}, {kPhotometric, {kPalette}}, {kColourMap, colours}}),
            "x.tif: TIFF: 1 samples of 3 bits of type 1 with photometric interpretation 3; convert it to JPEG or PNG");
  EXPECT_NE(message({{kBits, {4}}, {kPhotometric, {kPalette}}}).find("missing required \"Colormap\" field"),
            std::string::npos);
  EXPECT_EQ(message({{kBits, {8, 8}}, {kPhotometric, {kBlackIsZero}}, {kSamples, {2}}, {kExtraSamples, {1}}}),
            "x.tif: TIFF: 2 samples of 8 bits of type 1 with photometric interpretation 1; convert it to JPEG or PNG")
      << "grey times alpha";
}

TEST(Tiff, FewBits) {
  Fields fields = {{kWidth, {4}}, {kHeight, {1}}, {kBits, {2}}, {kPhotometric, {kBlackIsZero}}, {kSamples, {1}}};
  const auto reds = [&](const std::string& data) {
    const Image image = decoded(tiff(fields, {data}));
    return std::vector<int>{image.row(0)[0], image.row(0)[3], image.row(0)[6], image.row(0)[9]};
  };
  EXPECT_EQ(reds("\x1B"), (std::vector<int>{0, 85, 170, 255}));
  fields[kPhotometric] = {kWhiteIsZero};
  EXPECT_EQ(reds("\x1B"), (std::vector<int>{255, 170, 85, 0}));
  fields[kPhotometric] = {kPalette};
  fields[kColourMap] = {0x1100, 0x2200, 0x3300, 0x4400, 1, 1, 1, 1, 2, 2, 2, 2};
  EXPECT_EQ(reds("\x1B"), (std::vector<int>{0x11, 0x22, 0x33, 0x44}));
  fields[kPhotometric] = {kBlackIsZero};
  fields[kBits] = {4};
  EXPECT_EQ(reds("\x0F\x3C"), (std::vector<int>{0, 255, 51, 204}));
}

/// Pillow has 32 bits with a sign, whatever the file says.
TEST(Tiff, ManyBitsAreCutOff) {
  Fields fields = {{kWidth, {3}}, {kHeight, {1}}, {kBits, {32}}, {kPhotometric, {kBlackIsZero}}, {kSamples, {1}}};
  const std::string whole("\5\0\0\0\x2C\1\0\0\0\0\0\x80", 12);
  for (const uint32_t format : {1, 2}) {
    fields[kSampleFormat] = {format};
    EXPECT_EQ(numbers(decoded(tiff(fields, {whole}))), (std::vector<int>{5, 5, 5, 255, 255, 255, 0, 0, 0})) << format;
  }
  fields[kSampleFormat] = {3};
  std::string floats;
  for (const float value : {5.9F, std::nanf(""), 1e30F}) append(floats, value);
  EXPECT_EQ(numbers(decoded(tiff(fields, {floats}))), (std::vector<int>{5, 5, 5, 0, 0, 0, 255, 255, 255}));
}

TEST(Tiff, CmykOfSixteenBits) {
  const Fields fields = {
      {kWidth, {1}}, {kHeight, {1}}, {kBits, {16, 16, 16, 16}}, {kPhotometric, {kCmyk}}, {kSamples, {4}}};
  EXPECT_EQ(numbers(decoded(tiff(fields, {std::string("\0\x10\0\x20\0\x30\0\x40", 8)}))),
            (std::vector<int>{179, 167, 155}));
}

/// Turned by the reader, so that the sizes that are told are those of the turned picture.
TEST(Tiff, Orientations) {
  Fields fields = {{kWidth, {2}}, {kHeight, {1}}, {kBits, {8}}, {kPhotometric, {kBlackIsZero}}, {kSamples, {1}}};
  for (const auto& [orientation, is_tall, first] : {std::tuple{0u, false, 0x10},
                                                    {1u, false, 0x10},
                                                    {2u, false, 0x20},
                                                    {5u, true, 0x10},
                                                    {7u, true, 0x20},
                                                    {8u, true, 0x20},
                                                    {9u, false, 0x10},
                                                    {65535u, false, 0x10}}) {
    fields[kOrientation] = {orientation};
    const std::string file = tiff(fields, {"\x10\x20"});
    const ImageSize size = is_tall ? ImageSize{1, 2} : ImageSize{2, 1};
    EXPECT_EQ(read_image_size(bytes_of(file), "x.tif"), size) << orientation;
    const Image image = decoded(file);
    EXPECT_EQ(image.size(), size) << orientation;
    EXPECT_EQ(image.row(0)[0], first) << orientation;
    EXPECT_EQ(image_orientation(bytes_of(file)), 1) << "nothing is left to turn";
  }
}

/// Luma and chroma of each pixel, which libtiff decompresses and converts.
TEST(Tiff, ChromaOfEachPixel) {
  Fields fields = {{kWidth, {2}},   {kHeight, {2}},        {kBits, {8, 8, 8}}, {kPhotometric, {kYcbcr}},
                   {kSamples, {3}}, {kChromaSteps, {1, 1}}};
  const std::string pixels = "\x40\x80\x80\x50\x80\x80\x60\x80\x80\x70\x80\x80";
  const std::vector<int> grey = {64, 64, 64, 80, 80, 80, 96, 96, 96, 112, 112, 112};
  EXPECT_EQ(numbers(decoded(tiff(fields, {pixels}))), grey);
  fields[kCompression] = {32773};  // PackBits: rows that are copied
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\5" + pixels.substr(0, 6) + "\5" + pixels.substr(6)}))), grey);
  fields[kCompression] = {1};
  fields[kChromaSteps] = {2, 1};
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\x40\x50\x80\x80\x60\x70\x80\x80"}))), grey);
  fields[kChromaSteps] = {1, 2};
  EXPECT_EQ(numbers(decoded(tiff(fields, {"\x40\x60\x80\x80\x50\x70\x80\x80"}))), grey);
}

/// Pillow divides by alpha what was multiplied by it, and takes what has none for black.
TEST(Tiff, ColoursTimesAlphaAreDivided) {
  const std::string pixels("\x10\x20\x40\x80\x01\x02\x03\xFF\x09\x09\x09\x00\x80\x80\x80\x40", 16);
  Fields fields = {{kWidth, {4}},          {kHeight, {1}},  {kBits, {8, 8, 8, 8}},
                   {kPhotometric, {kRgb}}, {kSamples, {4}}, {kExtraSamples, {1}}};
  const Image divided = decoded(tiff(fields, {pixels}));
  EXPECT_EQ(numbers(divided), (std::vector<int>{31, 63, 127, 1, 2, 3, 0, 0, 0, 255, 255, 255}));
  fields[kExtraSamples] = {2};  // alpha beside the colours
  const Image plain = decoded(tiff(fields, {pixels}));
  EXPECT_EQ(numbers(plain), (std::vector<int>{16, 32, 64, 1, 2, 3, 9, 9, 9, 128, 128, 128}));
}

/// Four pixels, then their chroma. Without colour an image is its luma.
std::string grey_blocks(int width, int height) {
  std::string unit;
  for (int y = 0; y < height; y += 2)
    for (int x = 0; x < width; x += 2) {
      for (const int dy : {0, 1})
        for (const int dx : {0, 1}) unit += static_cast<char>(colour(x + dx, y + dy, 0));
      unit += "\x80\x80";
    }
  return unit;
}

TEST(Tiff, ChromaOfFewerPixels) {
  Fields fields = {{kWidth, {6}},   {kHeight, {4}},        {kBits, {8, 8, 8}}, {kPhotometric, {kYcbcr}},
                   {kSamples, {3}}, {kChromaSteps, {2, 2}}};
  const auto expect_grey = [](const Image& image) {
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 6; ++x)
        for (int channel = 0; channel < 3; ++channel)
          EXPECT_EQ(image.row(y)[3 * x + channel], colour(x, y, 0)) << x << ", " << y;
  };
  expect_grey(decoded(tiff(fields, {grey_blocks(6, 4)})));
  fields[kTileWidth] = fields[kTileHeight] = {64};  // libtiff 4.5 refuses tiles that are not of whole kilobytes
  expect_grey(decoded(tiff(fields, {grey_blocks(64, 64)})));
  EXPECT_EQ(error_of([&] { decoded(tiff(fields, {grey_blocks(64, 32)})); }).code(), ErrorCode::kBadInput);
  fields[kBits] = {32, 32, 32};
  EXPECT_EQ(error_of([&] { decoded(tiff(fields, {grey_blocks(64, 64)})); }).code(), ErrorCode::kUnsupported);
}

TEST(BadInput, TiffFilesThatDoNotSayWhatTheyAre) {
  Fields fields = {{kWidth, {2}}, {kHeight, {1}}, {kBits, {16}}, {kPhotometric, {kPalette}}, {kSamples, {1}}};
  fields[kColourMap].resize(3 << 16);
  const auto message = [&] {
    const Error error = error_of([&] { decoded(tiff(fields, {"1234"})); });
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return std::string(error.what());
  };
  EXPECT_NE(message().find("no palette for 16 bits"), std::string::npos);
}

}  // namespace
}  // namespace effdet::vision
