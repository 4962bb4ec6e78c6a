// The numbered bad inputs 79 to 82: PNG, and what is no image at all.
#include <gtest/gtest.h>

#include <thread>

#include "vision/decode.h"
#include "vision/png_test_util.h"
#include "vision/preprocess.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

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
  EXPECT_EQ(png_code(png_header(2, 3) + chunk("IDAT", deflated(rows + "x"))), ErrorCode::kBadInput)
      << "a part of a row";
  EXPECT_EQ(png_code(png_header(2, 2) + chunk("IDAT", deflated("\x05" + rows))), ErrorCode::kBadInput) << "filter 5";
  EXPECT_EQ(png_code(png_header(2, 2) + chunk("IEND", "")), ErrorCode::kBadInput) << "no image data";
}

/// A zlib stream that asks for a preset dictionary before it gives a byte.
const std::string kWantsDictionary("\x78\xBB\0\0\0\1\x03\0", 8);

TEST(BadInput, Case79_StreamsThatDoNotGoOn) {
  const auto message = [](const std::string& data) { return std::string(error_of([&] { decoded_png(data); }).what()); };
  EXPECT_NE(message(png_header(2, 2) + chunk("IDAT", kWantsDictionary)).find("preset dictionary"), std::string::npos);
  EXPECT_NE(message(png_header(2, 2) + chunk("IDAT", kWantsDictionary.substr(0, 4)) + chunk("IDAT", "abcd"))
                .find("preset dictionary"),
            std::string::npos);
  const std::string rows(2 * 7, '\0'), half = deflated(rows).substr(0, 6);
  for (const std::string& data : {std::string(), half, deflated(rows + "x")})
    for (const char* type : {"IDAT", "tEXt", "abCd"}) {
      std::string empty;
      for (int i = 0; i < 1000; ++i) empty += chunk(type, "");
      EXPECT_NE(message(png_header(2, 3) + chunk("IDAT", data) + empty).find("cut short"), std::string::npos) << type;
    }

  // Where texts and profiles stand, a stream that comes to nothing is none, as for Pillow.
  const std::string whole = sample("type2_8bit.png");
  const Image image = decoded_png(whole);
  EXPECT_TRUE(reads_as(with_chunk(whole, chunk("iCCP", std::string("n\0\0", 3) + kWantsDictionary)), image));
  EXPECT_TRUE(reads_as(with_chunk(whole, chunk("zTXt", std::string("n\0\0", 3) + kWantsDictionary)), image));
  EXPECT_TRUE(reads_as(with_chunk(whole, chunk("iTXt", std::string("n\0\1\0\0\0", 6) + kWantsDictionary)), image));
}

/// As Pillow has it: frames in sequence and within the image. A first frame that is a part of it would be put together.
TEST(BadInput, Case79_Animations) {
  const std::string whole = sample("type2_8bit.png");
  const Image image = decoded_png(whole);
  const auto width = static_cast<uint32_t>(image.width()), height = static_cast<uint32_t>(image.height());
  const auto frame = [&](uint32_t sequence, uint32_t w, uint32_t h, uint32_t x, uint32_t y) {
    return chunk("fcTL", u32(sequence) + u32(w) + u32(h) + u32(x) + u32(y) + std::string("\0\1\0\1\0\0", 6));
  };
  const auto animated = [&](const std::string& first) {
    return with_chunk(whole, chunk("acTL", u32(2) + u32(0)) + first);
  };
  const std::string moving = animated(frame(0, width, height, 0, 0));
  EXPECT_TRUE(reads_as(moving, image));
  const std::string second = frame(1, width, height, 0, 0) + "what follows is not looked at";
  EXPECT_TRUE(reads_as(moving.substr(0, moving.size() - 12) + second, image));
  EXPECT_EQ(png_code(animated(frame(1, width, height, 0, 0))), ErrorCode::kBadInput) << "out of sequence";
  EXPECT_EQ(png_code(animated(frame(0, width, height, 1, 0))), ErrorCode::kBadInput) << "outside";
  EXPECT_EQ(png_code(animated(frame(0, width, height, 0, 0xFFFFFFFF))), ErrorCode::kBadInput) << "outside";
  EXPECT_EQ(png_code(animated(frame(0, width - 1, height, 0, 0))), ErrorCode::kUnsupported) << "a part";
  EXPECT_EQ(png_code(animated(chunk("fcTL", u32(0)))), ErrorCode::kBadInput) << "too short";
}

TEST(BadInput, Case79_TextsAndProfiles) {
  const std::string whole = sample("type2_8bit.png");
  const Image image = decoded_png(whole);
  const auto code = [&](const char* type, const std::string& content) {
    return png_code(with_chunk(whole, chunk(type, content)));
  };
  for (const char* type : {"tEXt", "zTXt", "iTXt"})
    EXPECT_TRUE(reads_as(with_chunk(whole, chunk(type, "no separator")), image)) << type;
  for (const std::string& text : {std::string("key\0words", 9), std::string("\0words", 6)})
    EXPECT_TRUE(reads_as(with_chunk(whole, chunk("tEXt", text)), image)) << text;
  EXPECT_TRUE(reads_as(with_chunk(whole, chunk("zTXt", std::string("key\0", 4))), image));
  EXPECT_EQ(code("iCCP", std::string("name\0", 5)), ErrorCode::kBadInput) << "too short";
  EXPECT_EQ(code("iCCP", "no separator"), ErrorCode::kBadInput) << "its first byte is taken for the method";
  EXPECT_EQ(code("zTXt", std::string("key\0\1", 5)), ErrorCode::kBadInput) << "unknown method";
  std::string many;
  for (int i = 0; i < 65; ++i) many += chunk("tEXt", std::string("key\0", 4) + std::string(1 << 20, 'x'));
  EXPECT_EQ(png_code(with_chunk(whole, many)), ErrorCode::kBadInput) << "more text than an image may carry";
}

TEST(BadInput, Case79_ManyChunksOfNothing) {
  // Image data in pieces of a byte, with hundreds of thousands of empty ones between.
  const std::string nothing = chunk("IDAT", "");
  std::string empty;
  for (int i = 0; i < 300'000; ++i) empty += nothing;
  std::string data = png_header(2, 2);
  for (const char byte : deflated(std::string(2 * 7, '\0'))) data += chunk("IDAT", {byte}) + nothing;
  const Image image = decoded_png(data + chunk("IEND", ""));
  EXPECT_TRUE(reads_as(data.substr(0, kAfterHeader) + empty + data.substr(kAfterHeader) + chunk("IEND", ""), image));
  EXPECT_TRUE(reads_as(data + empty + chunk("IEND", ""), image));
  EXPECT_EQ(png_code(png_header(2, 2) + empty), ErrorCode::kBadInput);
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
    EXPECT_EQ(png_code(png_header(width, height) + chunk("IDAT", deflated("x"))), ErrorCode::kBadInput) << width;

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

TEST(BadInput, Case80_ManySmallBombs) {
  // Each is one that Pillow takes. What they all inflate to is bounded, whether something comes of it or not.
  const std::string fine = deflated(std::string(1 << 20, '\0')), broken = fine.substr(0, fine.size() - 4) + "abcd";
  const std::string whole = sample("type2_8bit.png"), international("k\0\1\0\0\0", 6), name("n\0\0", 3);
  const auto repeated = [](const std::string& text, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  const std::string profile = chunk("iCCP", name + fine);
  EXPECT_TRUE(reads_as(with_chunk(whole, repeated(profile, 100)), decoded_png(whole)));
  for (const std::string& bomb :
       {profile, chunk("iCCP", name + broken), chunk("zTXt", name + broken), chunk("iTXt", international + broken)}) {
    const Error error = error_of([&] { decoded_png(with_chunk(whole, repeated(bomb, 150))); });
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("more to inflate"), std::string::npos) << error.what();
  }
  // After the image data they count too.
  EXPECT_EQ(png_code(whole.substr(0, whole.size() - 12) + repeated(profile, 150)), ErrorCode::kBadInput);
}

/// Grey of one bit, all black, in few bytes.
std::string black(uint32_t width, uint32_t height, bool interlaced) {
  size_t bytes = size_t{height} * (width / 8 + 8);
  if (interlaced) bytes *= 2;  // more than all passes together; what is left over is ignored
  return png_header(width, height, 1, 0, interlaced) + chunk("IDAT", deflated(std::string(bytes, '\0'))) +
         chunk("IEND", "");
}

TEST(BadInput, Case80_MemoryOfLargeImages) {
  // 72 MiB of RGB from 4 kB.
  const std::string rows = black(5000, 5000, false), interlaced = black(5000, 5000, true);
  Preprocessing input, sampled{.sampled = true};
  std::vector<float> tensor(3 * 512 * 512);
  const auto box = [&](const std::string& data, const Preprocessing& preprocessing) {
    letterbox_to_tensor(*open_image(bytes_of(data), "black.png"), preprocessing, tensor);
  };
  EXPECT_LT(peak_growth([&] { box(rows, input); }), 16);
  EXPECT_LT(peak_growth([&] { box(rows, sampled); }), 16);
  EXPECT_LT(peak_growth([&] { decoded_png(rows); }), 72 + 16);
  EXPECT_LT(peak_growth([&] { box(interlaced, input); }), 72 + 16);
  EXPECT_LT(peak_growth([&] { decoded_png(interlaced); }), 72 + 16);
}

TEST(BadInput, Case80_LargeImagesInManyThreads) {
  // 92 MiB each, and no more than 256 at a time.
  const std::string interlaced = black(5660, 5660, true);
  const auto growth = peak_growth([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        std::vector<float> tensor(3 * 64 * 64);
        letterbox_to_tensor(*open_image(bytes_of(interlaced), "black.png"), {.height = 64, .width = 64}, tensor);
      });
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_LT(growth, 256 + 16);
}

TEST(BadInput, Case81_EveryKindOfPng) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode" || !line.file.ends_with(".png")) continue;
    const Image image = decode_image(images_folder() / line.file);
    EXPECT_EQ(sha256_of(std::as_bytes(image.pixels())), line.sha256) << line.file;
    ++count;
  }
  EXPECT_GE(count, 35u);
  std::string odd = sample("type2_8bit.png");
  EXPECT_EQ(png_code(png_header(2, 2, 4) + odd.substr(kAfterHeader)), ErrorCode::kBadInput) << "4-bit RGB";
  std::string palette = sample("type3_8bit.png");
  palette.insert(kAfterHeader + 12 + 768, chunk("PLTE", std::string(3 * 257, 'x')));
  EXPECT_EQ(png_code(palette), ErrorCode::kBadInput) << "257 palette entries";
}

TEST(BadInput, Case82_NotAnImage) {
  EXPECT_EQ(png_code(""), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("GIF89a...."), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("P6 1 1 255"), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("P7 1 1 255"), ErrorCode::kUnsupported);
  EXPECT_EQ(png_code("hello"), ErrorCode::kBadInput);
  EXPECT_EQ(png_code("\xFF"), ErrorCode::kBadInput);
  EXPECT_EQ(error_of([] { decode_image(images_folder()); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([] { decode_image(images_folder() / "missing.jpg"); }).code(), ErrorCode::kIo);
  EXPECT_EQ(error_of([] { read_image_size(images_folder()); }).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace effdet::vision
