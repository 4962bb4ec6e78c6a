// Transposed convolution against the reference kernel.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST(Choice, TransposedConvolutionsGatherWithinLimits) {
  const Tensor weights(DType::kF32, {1, 16, 256, 256}), bias(DType::kF32, {16});
  Case c("ConvTranspose", {{"layout", "nhwc"}, {"kernel_shape", Ints{256, 256}}, {"size", Ints{355, 355}}});
  const std::vector<ValueInfo> inputs{
      {DType::kF32, {1, 100, 100, 1}}, {DType::kF32, weights.shape(), &weights}, {DType::kF32, {16}, &bias}};
  const std::vector<ValueInfo> outputs{{DType::kF32, {1, 355, 355, 16}}};
  EXPECT_EQ(choose(cpu::device(), {c.node, 11, inputs, outputs}).refusals,
            std::vector<std::string>{"cpu:conv_transpose: windows of too many values"});
}

TEST_P(Kernels, ConvTranspose) {
  for (const Row& row : window_rows()) {
    // Kernels as large as the stride, where windows lie beside each other, and larger ones.
    const int64_t stride = row.flag(2) ? 3 : 2, kernel = row.flag(0) ? stride : stride + 1 + (row.flags >> 4) % 3;
    const int64_t out = row.flag(1) ? row.channels : 1, pad = row.flag(3) ? kernel / 2 : 0;
    const auto size = [&](int64_t side) {
      return (side - 1) * stride + kernel - (row.flag(5) ? 2 * pad : pad) + row.flag(6);
    };
    Case c("ConvTranspose",
           {{"layout", "nhwc"},
            {"kernel_shape", Ints{kernel, kernel}},
            {"strides", Ints{stride, stride}},
            {"pads", Ints{pad, pad, 0, 0}},
            {"size", Ints{std::max<int64_t>(1, size(row.height)), std::max<int64_t>(1, size(row.width))}}});
    c.set("activation", row.activation + (row.flag(7) ? "; mul x0 0.5" : ""));
    c.terms = row.channels * kernel * kernel;
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
    c.add(random_weights({row.channels, out, kernel, kernel}, row.channels * 4, 2));
    c.add(random_tensor({out}, 3));
    check_float32(c, "cpu:conv_transpose", row.text());
    if (row.channels > 60) break;
  }
}

}  // namespace
}  // namespace effdet::kernels
