// Dense convolution against the reference kernel.
#include "kernels/cpu/conv_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, ConvPointwise) {
  for (const Row& row : channel_rows()) {
    Case c = conv_case(row);
    add_extras(c, row);
    if (row.flag(3)) c.set("product", std::string("strassen"));  // where the kernel would not choose it
    check(c, "cpu:gemm", row.text());
  }
}

TEST_P(Kernels, ConvPointwiseStrided) {
  for (Row row : channel_rows()) {
    if (row.channels > 100 || row.out > 100) continue;
    row.stride = 2;
    Case c = conv_case(row);
    add_extras(c, row);
    check(c, "cpu:gemm", row.text());
  }
}

TEST_P(Kernels, ConvWindows) {
  for (Row row : window_rows()) {
    row.out = kChannels[row.flags >> 8 & 7];  // without 810
    if (row.channels > 100) row.height = row.batch = 1, row.pads[0] = row.pads[2] = row.kernel / 2;
    Case c = conv_case(row);
    add_extras(c, row);
    c.set("product", std::string("direct"));
    check(c, "cpu:gemm", row.text());
  }
}

TEST_P(Kernels, ConvWindowsFromNchw) {
  for (Row row : window_rows()) {
    if (row.channels > 20) continue;
    row.out = kChannels[row.flags >> 8 & 7];
    Case c = conv_case(row, /*nchw_input=*/true);
    c.set("output_layout", std::string("nhwc"));
    if (row.flag(0)) c.add(random_tensor(*infer(c)[0].shape, 7));
    check(c, "cpu:gemm", row.text());
  }
}

TEST_P(Kernels, ConvGroups) {
  for (const auto& [groups, in, out] : {std::tuple{2, 1, 16}, {3, 5, 16}, {4, 16, 32}, {2, 65, 48}, {8, 17, 64}})
    for (Row row : window_rows()) {
      if (row.channels != 1) continue;  // the counts are these
      if (row.flag(3)) row.kernel = 1, row.pads = {0, 0, 0, 0};
      row.channels = in;  // weights and sums have those of one group
      row.out = groups * out;
      Case c = conv_case(row);
      c.inputs[0] = random_tensor({row.batch, row.height, row.width, groups * in}, 1);
      c.set("group", int64_t{groups});
      row.flags &= ~2u;  // no gate
      add_extras(c, row);
      check(c, "cpu:gemm", fmt::format("{} groups, {}", groups, row.text()));
    }
}

/// Deep sums are cut into slices, large maps into tasks.
TEST_P(Kernels, ConvSlicesAndTasks) {
  for (const auto& [in, out, side] :
       {std::tuple{520, 96, 9}, {1100, 65, 7}, {600, 300, 7}, {600, 45, 31}, {5, 300, 31}, {40, 45, 31}, {40, 1, 15}})
    for (const bool nchw : {false, true}) {
      Row row{.channels = in, .out = out, .batch = 1, .height = side, .width = side + 1, .activation = "swish"};
      Case c = conv_case(row);
      if (nchw) c.set("output_layout", std::string("nchw"));
      check(c, "cpu:gemm", row.text() + (nchw ? " to nchw" : ""));
    }
}

/// More values than are widened at a time.
TEST_P(Kernels, ConvDeepRows) {
  Row row{.channels = 2501, .out = 100, .batch = 1, .height = 7, .width = 8, .activation = "swish", .flags = 1};
  Case c = conv_case(row);
  add_extras(c, row);
  check_bf16(c, "cpu:gemm", row.text());
  row.channels = 2502;
  Case to_nchw = conv_case(row);
  to_nchw.set("output_layout", std::string("nchw"));
  check_bf16(to_nchw, "cpu:gemm", row.text() + " to nchw");
}

/// Strassen's scheme: whole units of channels, a narrower one and a rest; rows that no half holds; deep halves.
TEST_P(Kernels, ConvLargeProducts) {
  if (on_gpu()) GTEST_SKIP() << "GPU kernels know no such scheme";
  for (const auto& [in, out, flags] :
       {std::tuple{98, 272, 0u}, {98, 272, 1u}, {112, 246, 3u}, {160, 160, 2u}, {1030, 64, 1u}}) {
    const Row row{
        .channels = in, .out = out, .batch = 1, .height = 46, .width = 45, .activation = "swish", .flags = flags};
    Case c = conv_case(row);
    add_extras(c, row);
    check(c, "cpu:gemm", row.text());
  }
}

TEST(Choice, RefusalsSayWhy) {
  Case c = conv_case({.channels = 8, .out = 8, .height = 4, .width = 5, .activation = "none"});
  c.set("output_layout", std::string("nchw"));
  c.add(random_tensor({1, 8, 4, 5}, 7));
  std::vector<ValueInfo> inputs;
  for (const Tensor& input : c.inputs) inputs.push_back({input.dtype(), input.shape()});
  const std::vector<ValueInfo> outputs{{DType::kF32, {1, 8, 4, 5}}};
  const Choice choice = choose(cpu::device(), {c.node, 11, inputs, outputs});
  EXPECT_EQ(choice.implementation, "reference");
  EXPECT_EQ(choice.refusals,
            (std::vector<std::string>{"cpu:winograd: only 3x3 windows of stride 1",
                                      "cpu:gemm: a residual needs an NHWC output", "cpu:gemm_int8: only uint8",
                                      "cpu:int8_weights: only floats by int8 weights"}));
}

TEST(Choice, NoKernelTakesMapsOfAnotherType) {
  const auto c =
      as_narrow(conv_case({.channels = 8, .out = 8, .height = 4, .width = 5, .activation = "none"}), DType::kF16);
  ASSERT_TRUE(c);
  std::vector<ValueInfo> inputs;
  for (const Tensor& input : c->inputs) inputs.push_back({input.dtype(), input.shape(), &input});
  const std::vector<ValueInfo> outputs{{DType::kF16, {1, 4, 5, 8}}};
  const Choice choice = choose(cpu::device(), {c->node, 11, inputs, outputs});
  EXPECT_EQ(choice.implementation, "reference");
  EXPECT_EQ(choice.refusals.back(), "cpu:int8_weights: maps of a type that the device does not compute in");
}

/// Maps of one row or one column, where windows need not be gathered, and some where they must.
TEST_P(Kernels, ConvOfSequences) {
  for (const Row& row : window_rows()) {
    const int64_t length = 20 + row.height, pad = row.flag(0) ? 1 : 0, channels = std::min<int64_t>(row.channels, 65);
    const bool upright = row.flag(1);
    const auto along = [upright](int64_t length_value, int64_t other) {
      return upright ? Ints{length_value, other} : Ints{other, length_value};
    };
    Case c("Conv", {{"out_channels", int64_t{40}}, {"layout", "nhwc"}, {"activation", row.activation}});
    c.set("kernel_shape", along(row.kernel, row.flag(2) && upright ? 3 : 1));
    c.set("strides", along(row.stride, row.flag(3) ? 2 : 1));
    c.set("pads", upright ? Ints{pad, 0, pad, 0} : Ints{0, pad, 0, pad});
    const Ints kernel = std::get<Ints>(*c.node.find("kernel_shape"));
    const Ints side = along(length, upright ? kernel[1] : 1);
    c.terms = channels * kernel[0] * kernel[1];
    c.add(random_tensor({row.batch, side[0], side[1], channels}, 1));
    c.add(ops::pack_conv_weights(random_weights({40, channels, kernel[0], kernel[1]}, c.terms, 2)));
    c.add(panel_bias(40, 3));
    check(c, "", row.text());
  }
}

}  // namespace
}  // namespace effdet::kernels
