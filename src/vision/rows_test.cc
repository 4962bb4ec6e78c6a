// Rows one after the other and without the rest, for every format, and the gate that bounds what readers hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "effdet/image.h"
#include "vision/decode.h"
#include "vision/memory_gate.h"
#include "vision/sample.h"
#include "vision/test_util.h"

namespace effdet::vision {
namespace {

TEST(Rows, OneByOneAreThoseOfTheWholeImage) {
  for (const Expected& line : expected_lines()) {
    if (line.what != "decode" || !is_image_name(line.file)) continue;
    const auto rows = open_image(images_folder() / line.file);
    EXPECT_EQ(rows->name(), (images_folder() / line.file).string());
    Image image(line.width, line.height);
    for (int y = 0; y < line.height; ++y) rows->read_rows(image.row(y), 0, 1);
    rows->finish();
    EXPECT_EQ(sha256_of(std::as_bytes(image.pixels())), line.sha256) << line.file;
  }
}

TEST(Rows, OfHeicAreThoseOfTheWholeImage) {
  if (!is_image_name("x.heic")) GTEST_SKIP() << "built without libheif";
  int orientation = 0;
  const auto rows = open_image(images_folder() / "waves.heic", orientation);
  EXPECT_EQ(orientation, 1);
  const Image whole = decode_image(images_folder() / "waves.heic");
  std::vector<uint8_t> row(whole.row_bytes());
  for (int y = 0; y < whole.height(); ++y) {
    rows->read_rows(row.data(), 0, 1);
    ASSERT_TRUE(std::equal(row.begin(), row.end(), whole.row(y))) << y;
  }
}

TEST(Rows, KnowHowTheyAreTurned) {
  for (int expected = 1; expected <= 8; ++expected) {
    int orientation = 0;
    const auto rows = open_image(images_folder() / ("exif_" + std::to_string(expected) + ".jpg"), orientation);
    EXPECT_EQ(orientation, expected);
    EXPECT_EQ(rows->size(), (ImageSize{24, 16})) << "as they are stored";
  }
}

/// Files of boxes that say another size than the picture in them has: libavif scales it, libheif knows better.
TEST(BadInput, PicturesHaveTheSizeThatIsTold) {
  for (const char* name : {"ycc_444.avif", "waves.heic"}) {
    if (!is_image_name(name)) continue;
    std::string file = sample(name);
    const size_t extent = file.find("ispe");
    ASSERT_NE(extent, std::string::npos);
    for (const char width : {1, 60, 127}) {
      file[extent + 11] = width;
      EXPECT_EQ(decode_image(bytes_of(file), "x").size(), read_image_size(bytes_of(file), "x")) << name << int{width};
    }
  }
}

/// The rest of a picture says whether what came before was the picture.
TEST(Rows, WhatIsNotWantedIsCheckedAllTheSame) {
  for (const char* name : {"ycc_420.jpg", "type2_8bit.png", "rgb.bmp", "strips.tif"}) {
    if (!is_image_name(name)) continue;
    const auto first_row = [&](const std::string& data) {
      const auto rows = open_image(bytes_of(data), name);
      std::vector<uint8_t> row(3 * static_cast<size_t>(rows->size().width));
      rows->read_rows(row.data(), 0, 1);
      rows->finish();
    };
    const std::string whole = sample(name);
    EXPECT_NO_THROW(first_row(whole)) << name;
    EXPECT_EQ(error_of([&] { first_row(whole.substr(0, whole.size() * 3 / 4)); }).code(), ErrorCode::kBadInput) << name;
  }
}

TEST(Rows, SampledToNothingIsRefused) {
  const Image image(4, 4);
  PixelRows rows(image);
  EXPECT_STREQ(error_of([&] { RowSampler(rows, 0, 4); }).what(), "an image cannot be resized to 0 pixels a side");
}

TEST(Images, CopiesPartsAndNonsense) {
  Image image(3, 2);
  for (size_t i = 0; i < image.pixels().size(); ++i) image.pixels()[i] = static_cast<uint8_t>(i);
  const Image part = image.part(1, 0, 3, 2);
  EXPECT_EQ(part.size(), (ImageSize{2, 2}));
  EXPECT_EQ(std::vector<int>(part.pixels().begin(), part.pixels().end()),
            (std::vector<int>{3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17}));
  const Image none, copy(none);
  EXPECT_TRUE(copy.empty());
  for (const ImageSize size : {ImageSize{0, 4}, ImageSize{4, 0}, ImageSize{-1, 4}})
    EXPECT_EQ(error_of([&] { Image(size.width, size.height); }).code(), ErrorCode::kInternal);
  uint8_t pixels[3] = {7, 8, 9};
  {
    const Image view = Image::over(pixels, {1, 1});
    EXPECT_EQ(view.row(0), pixels);
  }
  EXPECT_EQ(pixels[0], 7) << "still there without the view";
}

constexpr uint64_t kLarge = MemoryGate::kSmall;

TEST(MemoryGate, SmallAsksPassWhateverIsHeld) {
  MemoryGate gate;
  const MemoryGate::Hold all = gate.enter(10 * MemoryGate::kLimit);  // alone it may have more than the limit
  const MemoryGate::Hold small = gate.enter(kLarge - 1), none = gate.enter(0);
}

TEST(MemoryGate, AHoldGoesWithWhatItIsMovedTo) {
  MemoryGate gate;
  MemoryGate::Hold first = gate.enter(MemoryGate::kLimit), second(std::move(first)), third;
  third = std::move(second);
  std::atomic<bool> passed = false;
  std::thread waiting([&] {
    const MemoryGate::Hold more = gate.enter(kLarge);
    passed = true;
  });
  EXPECT_FALSE(passed) << "all is held";
  third = {};
  waiting.join();
  EXPECT_TRUE(passed);
}

TEST(MemoryGate, NoMoreThanTheLimitIsHeldAtATime) {
  MemoryGate gate;
  std::atomic<uint64_t> held = 0, most = 0;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 12; ++i)
    threads.emplace_back([&, bytes = kLarge + i * (8 << 20)] {
      for (int turn = 0; turn < 20; ++turn) {
        const MemoryGate::Hold hold = gate.enter(bytes);
        const uint64_t now = held += bytes;
        for (uint64_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        held -= bytes;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, kLarge);
  EXPECT_LE(most, MemoryGate::kLimit);
}

}  // namespace
}  // namespace effdet::vision
