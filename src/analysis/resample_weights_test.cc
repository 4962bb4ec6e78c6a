// The generator's known numbers, and what resamples are made of.
#include "analysis/resample_weights.h"

#include <gtest/gtest.h>

#include <numeric>

namespace effdet::analysis {
namespace {

/// Random123's kat_vectors for philox4x32 with 10 rounds.
TEST(ResampleWeights, PhiloxIsThatOfRandom123) {
  using Four = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}), (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ResampleWeights, EachResampleHasAsManyImagesAsThereAre) {
  for (const size_t count : {1, 2, 7, 1000}) {
    ResampleWeights weights(5, count);
    weights.draw(16);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      size_t sum = 0;
      for (uint32_t image = 0; image < count; ++image) sum += weights.of(image)[lane];
      EXPECT_EQ(sum, count);
    }
  }
}

TEST(ResampleWeights, DependOnTheSeedAndTheResampleAlone) {
  constexpr uint32_t kImages = 100;
  ResampleWeights one(1, kImages), two(1, kImages), other(2, kImages);
  one.draw(8);
  two.draw(0);
  two.draw(4);  // lanes 4 to 7 are the others' first ones
  other.draw(8);
  size_t equal = 0;
  for (uint32_t image = 0; image < kImages; ++image) {
    for (size_t lane = 0; lane < 4; ++lane) EXPECT_EQ(one.of(image)[lane], two.of(image)[lane + 4]);
    equal += one.of(image) == other.of(image) ? 1 : 0;
  }
  EXPECT_LT(equal, kImages / 2);
}

/// The share of images that are not drawn is 1/e; five standard deviations around it.
TEST(ResampleWeights, LeaveOutAThirdOfTheImages) {
  constexpr uint32_t kImages = 10000;
  ResampleWeights weights(3, kImages);
  weights.draw(0);
  size_t absent = 0;
  for (uint32_t image = 0; image < kImages; ++image)
    for (const uint16_t weight : weights.of(image)) absent += weight == 0 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(absent) / (kImages * kLanes), 0.36788, 0.006);
}

}  // namespace
}  // namespace effdet::analysis
