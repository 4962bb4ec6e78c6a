// The limit on a JPEG's scans: what encoders write stays below it, crafted files do not.
#include "vision/jpeg_work.h"

#include <gtest/gtest.h>

#include <vector>

#include "vision/limits.h"

namespace effdet::vision {
namespace {

/// An image's components by their share of the pixels: {1, 0.25, 0.25} is 4:2:0.
using Components = std::vector<double>;

constexpr double kMostBlocks = kMaxPixels / 64.0;

/// Everything that a component's coefficients are sent in: two bands of its AC coefficients, the last bits of which
/// come in so many more scans, and DC in two. libjpeg sends luma like this with 2, and chroma with 1; mozjpeg tries up
/// to 3.
uint64_t work_of(const Components& components, int bits, bool arithmetic, double blocks = kMostBlocks) {
  uint64_t work = 0;
  for (const double share : components) {
    const auto own = static_cast<uint64_t>(blocks * share);
    const auto add = [&](int first, int last, bool refines) {
      work += jpeg_scan_work({.arithmetic = arithmetic, .first = first, .last = last, .refines = refines}, own) +
              kJpegScanOverhead;
    };
    add(0, 0, false);
    add(0, 0, true);
    add(1, 5, false);
    add(6, 63, false);
    for (int i = 0; i < bits; ++i) add(1, 63, true);
  }
  return work;
}

uint64_t blocks_of(const Components& components, double blocks = kMostBlocks) {
  double sum = 0;
  for (const double share : components) sum += share * blocks;
  return static_cast<uint64_t>(sum);
}

const std::vector<Components> kImages = {{1}, {1, .25, .25}, {1, .5, .5}, {1, 1, 1}, {1, 1, 1, 1}};

TEST(JpegWork, WhatEncodersWriteIsReadUpToTheLargestImage) {
  for (const Components& components : kImages)
    for (const double blocks : {1., 1e4, 1e6, kMostBlocks})
      for (const int bits : {2, 3})
        EXPECT_LE(work_of(components, bits, false, blocks), jpeg_work_limit(blocks_of(components, blocks), false))
            << components.size();
}

TEST(JpegWork, ArithmeticCodingIsReadUpToTheImagesOfCameras) {
  for (const Components& components : kImages)
    for (const double blocks : {1., 1e4, 32e6 / 64})
      EXPECT_LE(work_of(components, 2, true, blocks), jpeg_work_limit(blocks_of(components, blocks), true))
          << components.size();
  EXPECT_LE(work_of({1, .25, .25}, 2, true, 90e6 / 64), jpeg_work_limit(1, true));
}

TEST(JpegWork, IsSecondsAtMost) {
  EXPECT_EQ(jpeg_work_limit(1, false), 1'000'000'000u);
  EXPECT_LE(jpeg_work_limit(blocks_of({1, 1, 1, 1}), false), 3'000'000'000u);
  EXPECT_LE(jpeg_work_limit(blocks_of({1, .25, .25}), false), 1'200'000'000u);
  EXPECT_LE(jpeg_work_limit(blocks_of({1, 1, 1, 1}), true), 3'000'000'000u);
}

TEST(JpegWork, SearchesAndRestartsCount) {
  const JpegScan first{.first = 1, .last = 63}, refining{.first = 1, .last = 63, .refines = true},
      narrow{.first = 1, .last = 8, .refines = true}, restarting{.first = 1, .last = 63, .restart_interval = 1};
  EXPECT_GT(jpeg_scan_work(refining, 100), 3 * jpeg_scan_work(first, 100));
  EXPECT_LT(jpeg_scan_work(narrow, 100), jpeg_scan_work(refining, 100));
  EXPECT_GT(jpeg_scan_work(restarting, 100), jpeg_scan_work(first, 100) + 1000);
}

/// A scan of an image that is not progressive has everything, whatever its fields say.
TEST(JpegWork, BaselineScansHaveAllCoefficients) {
  const uint64_t all = jpeg_scan_work({.progressive = false}, 100);
  EXPECT_EQ(jpeg_scan_work({.progressive = false, .first = 1, .last = 0}, 100), all);
  EXPECT_EQ(all, jpeg_scan_work({.first = 0, .last = 0}, 100) + jpeg_scan_work({.first = 1, .last = 63}, 100));
  EXPECT_EQ(jpeg_scan_work({.first = 9, .last = 5}, 100), 0u) << "a band of nothing";
}

TEST(JpegWork, BytesAreThoseOfImages) {
  EXPECT_GE(jpeg_scan_bytes_limit(1), uint64_t{32} << 20);
  const uint64_t blocks = blocks_of({1, 1, 1});
  EXPECT_GE(jpeg_scan_bytes_limit(blocks), blocks * 64 * 5 / 4) << "more than a byte a sample";
}

}  // namespace
}  // namespace effdet::vision
