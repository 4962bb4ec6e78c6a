// The numbered bad inputs 79 to 82: PNG, and what is no image at all.
#include <gtest/gtest.h>
#include <zlib.h>

#include "vision/decode.h"
#include "vision/test_util.h"

namespace effdet {
namespace {

using namespace vision_test;

constexpr size_t kAfterHeader = 8 + 8 + 13 + 4;

std::string u32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string chunk(const std::string& type, const std::string& content) {
  const std::string covered = type + content;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
  return u32(static_cast<uint32_t>(content.size())) + covered + u32(static_cast<uint32_t>(crc));
}

std::string deflated(const std::string& content) {
  uLongf size = compressBound(content.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()), content.size());
  out.resize(size);
  return out;
}

std::string header(uint32_t width, uint32_t height) {
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", u32(width) + u32(height) + std::string{8, 2, 0, 0, 0});
}

std::string with_chunk(const std::string& data, const std::string& added) {
  return data.substr(0, kAfterHeader) + added + data.substr(kAfterHeader);
}

Image decoded_png(const std::string& data) { return decode_image(bytes_of(data), "x.png"); }
ErrorCode png_code(const std::string& data) {
  return error_of([&] { decoded_png(data); }).code();
}
bool reads_as(const std::string& data, const Image& image) {
  return std::ranges::equal(decoded_png(data).pixels(), image.pixels());
}

TEST(BadInput, Case79_ChecksumsAndImageData) {
  const std::string whole = sample("type2_8bit.png");
  const Image image = decoded_png(whole);
  const auto flipped = [&](size_t at) {
    std::string data = whole;
    data[at] ^= 1;
    return data;
  };
  EXPECT_EQ(png_code(flipped(kAfterHeader - 1)), ErrorCode::kBadInput) << "checksum of IHDR";
  // Pillow does not look at the checksums of image data; zlib's own checks remain.
  const size_t data_end = whole.size() - 12;
  EXPECT_TRUE(reads_as(flipped(data_end - 1), image)) << "checksum of IDAT";
  EXPECT_EQ(png_code(flipped(kAfterHeader + 8)), ErrorCode::kBadInput) << "zlib header";

  for (size_t size : {kAfterHeader, kAfterHeader + 4, kAfterHeader + 20, whole.size() / 2})
    EXPECT_EQ(png_code(whole.substr(0, size)), ErrorCode::kBadInput) << size;
  EXPECT_TRUE(reads_as(whole.substr(0, data_end), image)) << "without IEND";
  EXPECT_TRUE(reads_as(whole.substr(0, data_end) + chunk("IDAT", "more") + chunk("IEND", ""), image));
  EXPECT_EQ(png_code(whole.substr(0, data_end) + chunk("tEXt", "abc").substr(0, 10)), ErrorCode::kBadInput);

  const std::string rows = std::string(2 * 7, '\0');
  EXPECT_EQ(png_code(header(2, 3) + chunk("IDAT", deflated(rows + "x"))), ErrorCode::kBadInput) << "a part of a row";
  EXPECT_EQ(png_code(header(2, 2) + chunk("IDAT", deflated("\x05" + rows))), ErrorCode::kBadInput) << "filter 5";
  EXPECT_EQ(png_code(header(2, 2) + chunk("IEND", "")), ErrorCode::kBadInput) << "no image data";
}

TEST(BadInput, Case80_SizesAndBombs) {
  for (auto [width, height] : {std::pair{1000000u, 1000000u},
                               {0u, 0u},
                               {5u, 0u},
                               {0u, 5u},
                               {0xFFFFFFFFu, 1u},
                               {0x80000000u, 2u},
                               {13377u, 13379u},
                               {13000u, 13000u}})
    EXPECT_EQ(png_code(header(width, height) + chunk("IDAT", deflated("x"))), ErrorCode::kBadInput) << width;

  const std::string whole = sample("type2_8bit.png");
  const std::string bomb = deflated(std::string(8 << 20, '\0')), fine = deflated(std::string(1 << 20, '\0'));
  for (const char* type : {"iCCP", "zTXt"}) {
    const std::string name("name\0\0", 6);
    EXPECT_EQ(png_code(with_chunk(whole, chunk(type, name + bomb))), ErrorCode::kBadInput) << type;
    EXPECT_TRUE(reads_as(with_chunk(whole, chunk(type, name + fine)), decoded_png(whole))) << type;
    EXPECT_TRUE(reads_as(with_chunk(whole, chunk(type, name + "broken")), decoded_png(whole))) << type;
  }
  const std::string international("key\0\1\0en\0key\0", 13);
  EXPECT_EQ(png_code(with_chunk(whole, chunk("iTXt", international + bomb))), ErrorCode::kBadInput);
  std::string texts;
  for (int i = 0; i < 65; ++i) texts += chunk("zTXt", std::string("k\0\0", 3) + fine);
  EXPECT_EQ(png_code(with_chunk(whole, texts)), ErrorCode::kBadInput);
}

TEST(BadInput, Case81_EveryKindOfPng) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode" || !line.file.ends_with(".png")) continue;
    const Image image = decode_image(images_folder() / line.file);
    EXPECT_EQ(Sha256::hex(std::as_bytes(image.pixels())), line.sha256) << line.file;
    ++count;
  }
  EXPECT_GE(count, 35u);
  std::string odd = sample("type2_8bit.png");
  EXPECT_EQ(png_code("\x89PNG\r\n\x1A\n" + chunk("IHDR", u32(2) + u32(2) + std::string{4, 2, 0, 0, 0}) +
                     odd.substr(kAfterHeader)),
            ErrorCode::kBadInput)
      << "4-bit RGB";
  std::string palette = sample("type3_8bit.png");
  palette.insert(kAfterHeader + 12 + 768, chunk("PLTE", std::string(3 * 257, 'x')));
  EXPECT_EQ(png_code(palette), ErrorCode::kBadInput) << "257 palette entries";
}

TEST(BadInput, Case82_NotAnImage) {
  EXPECT_EQ(png_code(""), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("GIF89a...."), ErrorCode::kUnsupported);
  EXPECT_EQ(png_code("hello"), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("\xFF"), ErrorCode::kBadInput);
  EXPECT_EQ(error_of([] { decode_image(images_folder()); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([] { decode_image(images_folder() / "missing.jpg"); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([] { read_image_size(images_folder()); }).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace effdet
