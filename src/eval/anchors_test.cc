// Anchors against effdet's, bit by bit.
#include "eval/anchors.h"

#include <gtest/gtest.h>

#include "eval/test_support.h"

namespace effdet::eval {
namespace {

AnchorConfig sized(int height, int width) {
  AnchorConfig config;
  config.image_height = height;
  config.image_width = width;
  return config;
}

TEST(Anchors, SizesHalveRoundingUp) {
  const std::vector<FeatureSize> expected{{40, 40}, {20, 20}, {10, 10}, {5, 5}, {3, 3}};
  EXPECT_EQ(feature_sizes(sized(320, 320)), expected);
}

TEST(Anchors, EqualEffdetInEveryBit) {
  for (const auto& golden_case : load_json(golden("anchors.json"))) {
    AnchorConfig config = sized(golden_case["size"][0], golden_case["size"][1]);
    config.min_level = golden_case["levels"][0];
    config.max_level = golden_case["levels"][1];
    config.anchor_scale = golden_case["scale"].get<std::vector<double>>();
    const auto anchors = make_anchors(config);
    ASSERT_EQ(anchors.size(), golden_case["count"].get<size_t>());
    for (const auto& row : golden_case["picked"]) {
      const Box& box = anchors[row[0].get<size_t>()];
      EXPECT_EQ(box.y1, row[1].get<float>());
      EXPECT_EQ(box.x1, row[2].get<float>());
      EXPECT_EQ(box.y2, row[3].get<float>());
      EXPECT_EQ(box.x2, row[4].get<float>());
    }
    EXPECT_EQ(fnv1a(anchors), golden_case["fnv1a"].get<std::string>()) << golden_case["size"].dump();
  }
}

TEST(Anchors, NonsenseIsRefused) {
  EXPECT_THROW(make_anchors(sized(0, 512)), Error);
  EXPECT_THROW(make_anchors(sized(512, 1 << 20)), Error);
  auto config = sized(512, 512);
  config.anchor_scale = {4.0, 4.0};
  EXPECT_THROW(make_anchors(config), Error);
  config = sized(512, 512);
  config.max_level = 2;
  EXPECT_THROW(make_anchors(config), Error);
}

}  // namespace
}  // namespace effdet::eval
