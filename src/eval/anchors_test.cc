// Anchors against effdet's, bit by bit.
#include "eval/anchors.h"

#include <gtest/gtest.h>

#include <functional>

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
  const auto message = [](const std::function<void(AnchorConfig&)>& edit) {
    AnchorConfig config = sized(512, 512);
    edit(config);
    try {
      make_anchors(config);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  for (const auto& [height, width] : {std::pair{0, 512}, {512, 0}, {512, 1 << 20}, {1 << 20, 512}, {-1, 512}})
    EXPECT_EQ(message([&](AnchorConfig& c) { c.image_height = height, c.image_width = width; }),
              fmt::format("anchors: image size {}x{} is not within 1..65536", height, width));
  for (const auto& [low, high] : {std::pair{-1, 7}, {3, 2}, {3, 17}})
    EXPECT_EQ(message([&](AnchorConfig& c) { c.min_level = low, c.max_level = high; }),
              fmt::format("anchors: levels {} to {} make no pyramid", low, high));
  EXPECT_EQ(message([](AnchorConfig& c) {
              c.anchor_scale = {4.0, 4.0};
            }),
            "anchors: 2 anchor scales for 5 levels; give one, or one a level");
  for (const int scales : {0, 65})
    EXPECT_EQ(message([&](AnchorConfig& c) { c.num_scales = scales; }),
              fmt::format("anchors: {} scales with 3 aspect ratios", scales));
  for (const size_t ratios : {0, 65})
    EXPECT_EQ(message([&](AnchorConfig& c) {
                c.aspect_ratios.assign(ratios, {1.0, 1.0});
              }),
              fmt::format("anchors: 3 scales with {} aspect ratios", ratios));
}

}  // namespace
}  // namespace effdet::eval
