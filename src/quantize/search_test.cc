// The choice of layers that stay in float32.
#include "quantize/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace effdet::quantize {
namespace {

using Names = std::vector<std::string>;

constexpr double kAny = 1e9;  // of cost

/// Layers a, b, ... with the error 1, 2, ... and the cost 1.
std::vector<Candidate> layers(size_t count) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < count; ++i)
    candidates.push_back({std::string(1, static_cast<char>('a' + i)), 1.0 + static_cast<double>(i), 1});
  return candidates;
}

TEST(CheapestFloatLayers, NoneWhereAllPassInEightBits) {
  size_t measured = 0;
  const FloatLayers found = cheapest_float_layers(layers(9), kAny, 0.5, [&](const Names&) {
    ++measured;
    return 0.5;
  });
  EXPECT_TRUE(found.passes);
  EXPECT_TRUE(found.names.empty());
  EXPECT_EQ(measured, 1u);
}

TEST(CheapestFloatLayers, TheShortestListThatPassesIsFoundForEveryLength) {
  for (size_t count : {1u, 2u, 3u, 7u, 8u, 20u}) {
    for (size_t needed = 0; needed <= count; ++needed) {
      const FloatLayers found =
          cheapest_float_layers(layers(count), kAny, static_cast<double>(needed),
                                [](const Names& names) { return static_cast<double>(names.size()); });
      EXPECT_TRUE(found.passes);
      EXPECT_EQ(found.names.size(), needed) << count;
      EXPECT_EQ(found.accuracy, static_cast<double>(needed));
      if (needed > 0) {
        EXPECT_EQ(found.names[0], layers(count).back().name) << "the largest error first";
      }
    }
  }
}

TEST(CheapestFloatLayers, CheapLayersComeBeforeDearOnesOfTheSameError) {
  const std::vector<Candidate> candidates = {{"dear", 2, 100}, {"cheap", 1, 1}};
  const FloatLayers found =
      cheapest_float_layers(candidates, kAny, 1, [](const Names& names) { return names.empty() ? 0.0 : 1.0; });
  EXPECT_EQ(found.names, Names{"cheap"});
}

TEST(CheapestFloatLayers, NoListCostsMoreThanIsAllowed) {
  const FloatLayers found =
      cheapest_float_layers(layers(9), 4, 6, [](const Names& names) { return static_cast<double>(names.size()); });
  EXPECT_FALSE(found.passes);
  EXPECT_EQ(found.names.size(), 4u);
}

TEST(CheapestFloatLayers, WhereNonePassesTheBestIsGivenBack) {
  const FloatLayers found =
      cheapest_float_layers(layers(5), kAny, 9, [](const Names& names) { return names.size() == 2 ? 1.0 : 0.5; });
  EXPECT_FALSE(found.passes);
  EXPECT_EQ(found.names.size(), 2u);
  EXPECT_FALSE(cheapest_float_layers({}, kAny, 1, [](const Names&) { return 0.0; }).passes);
}

}  // namespace
}  // namespace effdet::quantize
