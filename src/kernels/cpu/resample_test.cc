// Pools, resizing and weighted sums against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, Mix) {
  // Sides of the inputs beside the first, for an output of 5: whole factors, none, and smaller and larger ones.
  constexpr int64_t kSides[] = {3, 5, 1, 10, 9};
  for (const Row& row : channel_rows())
    for (size_t count = 1; count <= ops::kMaxMixInputs; ++count) {
      if (row.channels > 100 && count != 2) continue;
      Case c("Mix", {{"activation", row.activation}, {"layout", "nhwc"}, {"size", Ints{row.height, row.width}}});
      std::vector<float> weights;
      for (size_t i = 0; i < count; ++i) {
        const int64_t other = kSides[(row.flags >> (8 * i)) % 5];
        const Shape shape = i == 0 ? Shape{row.batch, row.height, row.width, row.channels}
                                   : Shape{row.batch, other, (other + row.width) / 2 + 1, row.channels};
        c.add(random_tensor(shape, static_cast<uint32_t>(i + 1)));
        weights.push_back(0.25f * static_cast<float>(i + 1));
      }
      c.set("weights", weights);
      check(c, "cpu:mix", fmt::format("{} maps, {}", count, row.text()));
      if (row.out != row.channels) break;  // all counts once for each channel count
    }
}

TEST_P(Kernels, MaxPool) {
  for (const Row& row : window_rows()) {
    Case c("MaxPool", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                       {"strides", Ints{row.stride, row.stride}},
                       {"pads", row.pads},
                       {"layout", "nhwc"}});
    c.node.attributes["zero_padding"] = int64_t{row.flag(16)};
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 4));
    check(c, "cpu:max_pool", row.text());
  }
}

TEST_P(Kernels, AveragePool) {
  for (const Row& row : window_rows()) {
    Case c("AveragePool", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                           {"strides", Ints{row.stride, row.stride}},
                           {"pads", row.pads},
                           {"layout", "nhwc"}});
    c.node.attributes["count_include_pad"] = int64_t{row.flag(16)};
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 4));
    check(c, "cpu:average_pool", row.text());
  }
}

TEST_P(Kernels, MaxPoolOfSpecialValues) {
  for (const int64_t channels : {1, 16, 19}) {
    Case c("MaxPool", {{"kernel_shape", Ints{2, 2}},
                       {"strides", Ints{1, 1}},
                       {"pads", Ints{1, 1, 0, 0}},
                       {"zero_padding", int64_t{0}},
                       {"layout", "nhwc"}});
    c.add(special_tensor({1, 7, 5, channels}));
    expect_same_special(c, "cpu:max_pool", std::to_string(channels));
    if (const auto narrow = as_bf16(c)) expect_same_special(*narrow, "cpu:max_pool", std::to_string(channels));
  }
}

TEST_P(Kernels, Resize) {
  constexpr const char* kCoordinates[] = {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"};
  constexpr int64_t kSides[] = {1, 2, 5, 9, 16};
  for (const Row& row : channel_rows()) {
    Case c("Resize", {{"mode", row.flag(0) ? "linear" : "nearest"},
                      {"coordinate_transformation_mode", kCoordinates[row.flags >> 1 & 3]},
                      {"nearest_mode", row.flag(3) ? "floor" : "round_prefer_floor"}});
    c.node.domain = "";
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
    c.add(Tensor());
    if (row.flag(4)) {  // scales that the sizes round down
      c.add(Tensor::from<float>({4}, std::vector<float>{1.0f, 1.7f, 2.0f, 1.0f}));
    } else {
      c.add(Tensor());
      const Ints sizes{row.batch, kSides[(row.flags >> 8) % 5], kSides[(row.flags >> 16) % 5], row.channels};
      c.add(Tensor::from<int64_t>({4}, sizes));
    }
    check(c, "cpu:resize", row.text());
    if (row.channels > 100) break;
  }
}

}  // namespace
}  // namespace effdet::kernels
