// Resize in its modes. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, ResizeModes) {
  const Tensor x = list({0, 10, 20, 30});
  const std::string mode = "coordinate_transformation_mode";
  const auto resize = [&](std::vector<int64_t> sizes, std::map<std::string, ir::Attribute> attributes,
                          std::vector<float> expected, Tensor roi = Tensor()) {
    expect_values({{"Resize", {x, roi, Tensor(), ints(std::move(sizes))}, std::move(expected), std::move(attributes)}});
  };
  resize({8}, {{"mode", std::string("linear")}}, {0, 2.5f, 7.5f, 12.5f, 17.5f, 22.5f, 27.5f, 30});
  resize({2}, {{"mode", std::string("cubic")}}, {4.0625f, 25.9375f});
  resize({2}, {{"mode", std::string("linear")}, {"antialias", int64_t{1}}}, {6.25f, 23.75f});
  resize({4},
         {{"mode", std::string("linear")}, {mode, std::string("tf_crop_and_resize")}, {"extrapolation_value", 7.0f}},
         {15, 25, 7, 7}, list({0.5f, 1.5f}));
  expect_values({{"Resize",
                  {counting({2, 4}), Tensor(), Tensor(), ints({1, 4})},
                  {0, 2},
                  {{"keep_aspect_ratio_policy", std::string("not_larger")},
                   {mode, std::string("asymmetric")},
                   {"nearest_mode", std::string("floor")}}}});
  expect_values({{"Resize", {counting({1, 2}), Tensor(), floats({1}, {2})}, {0, 0, 1, 1}, {{"axes", List{-1}}}}});
  // The common scale 1.25, though the first axis goes from 2 to 3.
  expect_values({{"Resize",
                  {counting({2, 4}), Tensor(), Tensor(), ints({3, 5})},
                  {0, 0.7f, 1.5f, 2.3f, 3, 2.8f, 3.5f, 4.3f, 5.1f, 5.8f, 4, 4.7f, 5.5f, 6.3f, 7},
                  {{"mode", std::string("linear")}, {"keep_aspect_ratio_policy", std::string("not_larger")}}}});
  // By a scale that yields 1.5 numbers of 2 and 7.5 of 10: PyTorch's interpolate(scale_factor=.75, align_corners=True).
  expect_values({{"Resize",
                  {counting({10}), Tensor(), list({0.75f})},
                  {0, 1.5f, 3, 4.5f, 6, 7.5f, 9},
                  {{"mode", std::string("linear")}, {mode, std::string("align_corners")}}}});
}

TEST(Operators, ResizeOfWholeNumbers) {
  const auto resized = [](std::vector<uint8_t> x, int64_t antialias) {
    const Tensor bytes = Tensor::from<uint8_t>({static_cast<int64_t>(x.size())}, x);
    return values<uint8_t>(run_node("Resize", {bytes, Tensor(), Tensor(), ints({2})},
                                    {{"mode", std::string("linear")}, {"antialias", antialias}}, 18)[0]);
  };
  EXPECT_EQ(resized({0, 1, 3, 250}, 1), (std::vector<uint8_t>{1, 126}));  // 0.75: rounded
  EXPECT_EQ(resized({0, 1, 3, 250}, 0), (std::vector<uint8_t>{0, 126}));  // 0.5, 126.5: cut off
}

TEST(Resize, NearestAndLinear) {
  const Tensor x = floats({1, 1, 1, 2}, {1, 3}), none;
  const Tensor scales = floats({4}, {1, 1, 1, 2});
  const auto mode = [](const std::string& m, const std::string& c) {
    return std::map<std::string, ir::Attribute>{{"mode", m}, {"coordinate_transformation_mode", c}};
  };
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("nearest", "half_pixel"))[0]), (Floats{1, 1, 3, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("linear", "half_pixel"))[0]), (Floats{1, 1.5f, 2.5f, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, scales}, mode("linear", "asymmetric"))[0]), (Floats{1, 2, 3, 3}));
  EXPECT_EQ(values(run_node("Resize", {x, none, none, ints({1, 1, 1, 3})}, mode("linear", "align_corners"))[0]),
            (Floats{1, 2, 3}));
  EXPECT_EQ(values(run_node("Upsample", {x, scales}, {}, 9)[0]), (Floats{1, 1, 3, 3}));
}

}  // namespace
}  // namespace effdet::ops
