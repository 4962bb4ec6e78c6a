// The choice of layers that stay in float32.
#include "quantize/search.h"

#include <gtest/gtest.h>

#include <span>

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

/// The number of names of each list that was measured.
std::vector<size_t> lengths(std::span<const Candidate> candidates, double most_cost = kAny) {
  std::vector<size_t> found;
  cheapest_float_layers(0, candidates, most_cost, 1, [&](const Names& names) {
    found.push_back(names.size());
    return 0.5;
  });
  return found;
}

TEST(CheapestFloatLayers, StepsAreSharesOfTheError) {
  const std::vector<Candidate> even(100, {"one", 1, 1});
  EXPECT_EQ(lengths(even), (std::vector<size_t>{10, 20, 35, 50, 65, 80, 90}));
  // a to j have 1 to 10 of 55: "j" alone is more than a tenth, "j" and "i" are more than two.
  EXPECT_EQ(lengths(layers(10)), (std::vector<size_t>{1, 2, 3, 4, 5, 6, 8}));
}

TEST(CheapestFloatLayers, ALayerThatLosesNearlyAllIsOneStep) {
  EXPECT_EQ(lengths(std::vector<Candidate>{{"a", 99, 1}, {"b", 0.5, 1}, {"c", 0.5, 1}}), (std::vector<size_t>{1}));
}

TEST(CheapestFloatLayers, TheFirstListThatPassesIsTaken) {
  const FloatLayers found = cheapest_float_layers(0, layers(10), kAny, 4,
                                                  [](const Names& names) { return static_cast<double>(names.size()); });
  EXPECT_TRUE(found.passes);
  EXPECT_EQ(found.names, (Names{"j", "i", "h", "g"})) << "the largest error first";
  EXPECT_EQ(found.accuracy, 4);
}

TEST(CheapestFloatLayers, CheapLayersComeBeforeDearOnesOfTheSameError) {
  const std::vector<Candidate> candidates = {{"dear", 2, 100}, {"cheap", 1, 1}};
  const FloatLayers found = cheapest_float_layers(0, candidates, kAny, 1, [](const Names&) { return 1.0; });
  EXPECT_EQ(found.names, Names{"cheap"});
}

TEST(CheapestFloatLayers, NoListCostsMoreThanIsAllowed) {
  EXPECT_EQ(lengths(std::vector<Candidate>(100, {"one", 1, 1}), 15), (std::vector<size_t>{10, 15}));
}

TEST(CheapestFloatLayers, WhereNonePassesTheBestIsGivenBack) {
  const FloatLayers found =
      cheapest_float_layers(0.7, layers(10), kAny, 9, [](const Names& names) { return names.size() == 2 ? 1.0 : 0.5; });
  EXPECT_FALSE(found.passes);
  EXPECT_EQ(found.names.size(), 2u);
  const FloatLayers none = cheapest_float_layers(0.7, layers(10), kAny, 9, [](const Names&) { return 0.5; });
  EXPECT_FALSE(none.passes);
  EXPECT_TRUE(none.names.empty()) << "fewer in float32, and more accurate";
  EXPECT_EQ(none.accuracy, 0.7);
  EXPECT_FALSE(cheapest_float_layers(0, {}, kAny, 1, [](const Names&) { return 0.0; }).passes);
}

/// Errors of 0 everywhere: nothing is to be gained.
TEST(CheapestFloatLayers, NothingIsMeasuredWhereNothingIsLost) {
  EXPECT_TRUE(lengths(std::vector<Candidate>(5, {"one", 0, 1})).empty());
}

}  // namespace
}  // namespace effdet::quantize
