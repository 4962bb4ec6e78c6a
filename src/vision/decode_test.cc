// Decoded images against Pillow's pixels, by hash, and errors that name the file.
#include "vision/decode.h"

#include <gtest/gtest.h>

#include "vision/test_util.h"

namespace effdet::vision {
namespace {

TEST(Decode, EverySampleIsWhatPillowReads) {
  size_t count = 0;
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode") continue;
    SCOPED_TRACE(line.file);
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

TEST(Decode, OneChangedByteNeverCrashes) {
  for (const char* name : {"progressive_420.jpg", "ycck_by_adobe2.jpg", "type3_4bit_adam7.png", "type6_16bit.png"}) {
    const std::string whole = sample(name);
    for (size_t at = 0; at < whole.size(); at += 3)
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
