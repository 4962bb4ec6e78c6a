// Outputs in every order in which tools dump them.
#include "eval/level_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

const std::vector<FeatureSize> kLevels{{64, 64}, {32, 32}, {16, 16}, {8, 8}, {4, 4}};
const std::vector<LevelFiles> kModelOrder{{0, 5}, {1, 6}, {2, 7}, {3, 8}, {4, 9}};
const std::vector<LevelFiles> kInterleaved{{1, 0}, {3, 2}, {5, 4}, {7, 6}, {9, 8}};

/// Sizes in bytes of the files that hold the outputs in one of the orders above.
std::vector<uint64_t> sizes_in(const std::vector<LevelFiles>& order, std::span<const FeatureSize> levels, int classes) {
  const auto counts = output_value_counts(levels, classes, 9);
  std::vector<uint64_t> sizes(counts.size());
  for (size_t i = 0; i < order.size(); ++i) {
    sizes[order[i].classes] = counts[i] * 4;
    sizes[order[i].boxes] = counts[order.size() + i] * 4;
  }
  return sizes;
}

TEST(LevelLayout, SizesDecideInEitherOrder) {
  for (const auto& order : {kModelOrder, kInterleaved}) {
    const auto layout = match_levels(sizes_in(order, kLevels, 90), kLevels, 90, 9);
    EXPECT_EQ(layout.levels, order);
    EXPECT_EQ(layout.note, "");
  }
}

TEST(LevelLayout, SizesDecideInAnyOrder) {
  auto sizes = sizes_in(kModelOrder, kLevels, 90);
  std::reverse(sizes.begin(), sizes.end());
  const std::vector<LevelFiles> expected{{9, 4}, {8, 3}, {7, 2}, {6, 1}, {5, 0}};
  EXPECT_EQ(match_levels(sizes, kLevels, 90, 9).levels, expected);
}

TEST(LevelLayout, KnownOrdersDecideWhereSizesCoincide) {
  for (int classes : {1, 4, 16, 64}) {
    const auto layout = match_levels(sizes_in(kModelOrder, kLevels, classes), kLevels, classes, 9);
    EXPECT_EQ(layout.levels, kModelOrder);
    EXPECT_NE(layout.note.find("classes first"), std::string::npos);
  }
  EXPECT_EQ(match_levels(sizes_in(kInterleaved, kLevels, 1), kLevels, 1, 9).levels, kInterleaved);
}

TEST(LevelLayout, LevelsOfOneCell) {
  const std::vector<FeatureSize> levels{{8, 8}, {4, 4}, {2, 2}, {1, 1}, {1, 1}};
  EXPECT_EQ(match_levels(sizes_in(kModelOrder, levels, 90), levels, 90, 9).levels, kModelOrder);
}

TEST(LevelLayout, MissingAndForeignFilesAreNamed) {
  auto sizes = sizes_in(kModelOrder, kLevels, 90);
  sizes.pop_back();
  auto message = bad_input_message([&] { match_levels(sizes, kLevels, 90, 9); });
  EXPECT_NE(message.find("9 output files"), std::string::npos) << message;
  sizes.push_back(sizes[0]);
  message = bad_input_message([&] { match_levels(sizes, kLevels, 90, 9); });
  EXPECT_NE(message.find("2 output files have 13271040 bytes"), std::string::npos) << message;
  sizes.back() = 1;
  message = bad_input_message([&] { match_levels(sizes, kLevels, 90, 9); });
  EXPECT_NE(message.find("output file 10 has 1 bytes"), std::string::npos) << message;
  sizes = sizes_in(kModelOrder, kLevels, 4);
  std::swap(sizes[0], sizes[1]);
  message = bad_input_message([&] { match_levels(sizes, kLevels, 4, 9); });
  EXPECT_NE(message.find("neither known order"), std::string::npos) << message;
}

}  // namespace
}  // namespace effdet::eval
