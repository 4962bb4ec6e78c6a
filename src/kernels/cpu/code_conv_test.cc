// Convolution of codes by int8 weights against the reference kernel, bit for bit, on every instruction set.
#include "kernels/cpu/conv_test_util.h"
#include "ops/fused/quantization.h"

namespace effdet::kernels {
namespace {

/// Also on those that differ from others in products of codes alone; avx512_bf16 has avx512_vnni's.
class CodeConvs : public Kernels {};
INSTANTIATE_TEST_SUITE_P(Isa, CodeConvs,
                         testing::Values("amx_bf16", "avx512_vnni", "avx512", "avx_vnni", "avx2", "sse2"),
                         [](const auto& isa) { return std::string(isa.param); });

Tensor random_codes(const Shape& shape, uint32_t seed) {
  Tensor codes(DType::kU8, shape);
  const Tensor random = random_tensor(shape, seed);
  std::ranges::transform(random.data<float>(), codes.mutable_data<uint8_t>().begin(),
                         [](float x) { return static_cast<uint8_t>(128 + 63 * x); });
  return codes;
}

/// The largest weights are those of int8.
Tensor random_int8(const Shape& shape, uint32_t seed) {
  Tensor weights(DType::kI8, shape);
  const Tensor random = random_tensor(shape, seed);
  std::ranges::transform(random.data<float>(), weights.mutable_data<int8_t>().begin(),
                         [](float x) { return static_cast<int8_t>(63.9f * x); });
  return weights;
}

/// A layer of codes with the options of a row: `in` channels of the map, of which each group reads row.channels.
Case code_case(const Row& row, DType out, int64_t in, bool nchw_output = false) {
  Case c = conv_case(row);
  c.inputs[0] = random_codes({row.batch, row.height, row.width, in}, 1);
  c.inputs[1] = ops::pack_conv_weights(random_int8({row.out, row.channels, row.kernel, row.kernel}, 2));
  Tensor bias(DType::kI32, {ops::padded_to_panels(row.out)});
  const Tensor random = random_tensor(bias.shape(), 3);
  std::ranges::transform(random.data<float>(), bias.mutable_data<int32_t>().begin(),
                         [](float x) { return static_cast<int32_t>(2000 * x); });
  c.inputs[2] = bias;
  c.set("output_type", std::string(dtype_name(out)));
  if (nchw_output) c.set("output_layout", std::string("nchw"));
  ops::set_quantization(c.node, "x", {0.02f, 131});
  const bool residual = row.flag(0) && !nchw_output;
  if (out == DType::kU8) ops::set_quantization(c.node, "y", {row.flag(4) ? 0.021f : 0.0007f, 40});
  if (out == DType::kU8 && residual) ops::set_quantization(c.node, "residual", {0.013f, 99});
  const Shape shape = *infer(conv_case(row))[0].shape;
  c.add(!residual ? Tensor() : out == DType::kU8 ? random_codes(shape, 7) : random_tensor(shape, 7).to(out));
  c.add(Tensor());
  Tensor scales = panel_bias(row.out, 5);
  for (float& scale : scales.mutable_data<float>())
    scale = (2.5f + scale) / (100 * std::sqrt(static_cast<float>(c.terms)));
  c.add(scales);
  return c;
}

/// Activations that are the same everywhere: all of codes, and a few of floats.
void check_bits(Row row, DType out, int64_t in, bool nchw_output, const std::string& what) {
  const Activation activation = ops::activation_of(conv_case(row).node);
  if (out == DType::kU8 ? !ops::Requantizer::takes(activation) : row.activation != "relu6") row.activation = "none";
  Case c = code_case(row, out, in, nchw_output);
  if (in != row.channels) c.set("group", in / row.channels);
  expect_equal(c, "cpu:gemm_int8",
               fmt::format("{}, {}, to {}{}", what, row.text(), dtype_name(out), nchw_output ? " in nchw" : ""));
}

constexpr DType kOutputs[] = {DType::kU8, DType::kF32, DType::kBF16};

TEST_P(CodeConvs, Pointwise) {
  for (const Row& row : channel_rows()) check_bits(row, kOutputs[row.flags % 3], row.channels, false, "pointwise");
}

TEST_P(CodeConvs, PointwiseToNchw) {
  for (const Row& row : channel_rows()) check_bits(row, DType::kF32, row.channels, true, "pointwise");
}

TEST_P(CodeConvs, Windows) {
  for (Row row : window_rows()) {
    row.out = kChannels[row.flags >> 8 & 7];  // without 810
    if (row.channels > 100) row.height = row.batch = 1, row.pads[0] = row.pads[2] = row.kernel / 2;
    const bool nchw = row.flag(5);
    check_bits(row, nchw ? DType::kF32 : kOutputs[row.flags % 3], row.channels, nchw, "windows");
  }
}

TEST_P(CodeConvs, Groups) {
  for (const auto& [groups, in, out] : {std::tuple{2, 1, 16}, {3, 5, 16}, {4, 16, 32}, {2, 65, 48}, {8, 20, 64}})
    for (Row row : window_rows()) {
      if (row.channels != 1) continue;  // the counts are these
      if (row.flag(3)) row.kernel = 1, row.pads = {0, 0, 0, 0};
      row.channels = in;
      row.out = groups * out;
      check_bits(row, DType::kU8, groups * in, false, fmt::format("{} groups", groups));
    }
}

/// Large maps are cut into tasks, sums are deep.
TEST_P(CodeConvs, Tasks) {
  for (const auto& [in, out, side] :
       {std::tuple{64, 810, 12}, {1100, 65, 7}, {600, 300, 7}, {48, 45, 31}, {5, 300, 31}, {40, 1, 15}, {63, 17, 40}})
    for (const bool nchw : {false, true})
      check_bits({.channels = in, .out = out, .height = side, .width = side + 1, .activation = "swish", .flags = 16},
                 nchw ? DType::kF32 : DType::kU8, in, nchw, "tasks");
}

/// Every weight and every code at the end of its range, with the signs that saturate sums of pairs first.
TEST_P(CodeConvs, LargestSums) {
  for (const int8_t weight : {int8_t{-127}, int8_t{127}}) {
    Case c = code_case({.channels = 72, .out = 20, .height = 5, .width = 5, .activation = "none"}, DType::kF32, 72);
    std::ranges::fill(c.inputs[0].mutable_data<uint8_t>(), uint8_t{255});
    std::ranges::fill(c.inputs[1].mutable_data<int8_t>(), weight);
    expect_equal(c, "cpu:gemm_int8", fmt::format("all weights {}", weight));
  }
}

/// A file may hold any scales; sums that do not fit are for the reference kernel.
TEST_P(CodeConvs, SumsBeyondWhatVectorsRoundAreRefused) {
  for (const float scale : {1e30f, -1e30f, std::nanf("")}) {
    Case c = code_case({.channels = 16, .out = 16, .height = 3, .width = 3, .activation = "none"}, DType::kU8, 16);
    c.inputs[5].mutable_data<float>()[3] = scale;
    run(c, false, 1, "reference");
  }
}

/// Exponentials of floats are not the same bits everywhere.
TEST_P(CodeConvs, FloatsAfterActivations) {
  for (const ActivationRow& activation : kActivations) {
    if (activation.function == nullptr) continue;
    const Row row{.channels = 40, .out = 33, .height = 7, .width = 9, .activation = activation.name};
    check_float32(code_case(row, DType::kF32, row.channels), "cpu:gemm_int8", row.text());
    check_float32(code_case(row, DType::kF32, row.channels, /*nchw_output=*/true), "cpu:gemm_int8", row.text());
  }
}

/// The sums of floats differ in their last places: codes by one step.
void check_rounded(const Case& c, const std::string& what) {
  SCOPED_TRACE(what);
  const auto want = run(c, true, 1), got = run(c, false, 3, "cpu:gemm");
  int differ = 0;
  for (int64_t i = 0; i < want[0].numel(); ++i) {
    const int step = got[0].data<uint8_t>()[i] - want[0].data<uint8_t>()[i];
    ASSERT_LE(std::abs(step), 1) << "value " << i;
    differ += step != 0;
  }
  EXPECT_LE(differ, 2 + want[0].numel() / 50);
}

TEST_P(Kernels, ConvOfFloatsToCodes) {
  for (Row row : window_rows()) {
    if (row.channels > 70 || !ops::Requantizer::takes(ops::activation_of(conv_case(row).node))) continue;
    row.out = kChannels[row.flags >> 8 & 7];
    Case c = conv_case(row);
    if (row.flag(0)) {
      c.add(random_codes(*infer(c)[0].shape, 7));
      ops::set_quantization(c.node, "residual", {0.013f, 99});
    }
    c.set("output_type", std::string("uint8"));
    ops::set_quantization(c.node, "y", {0.02f, 40});
    check_rounded(c, row.text());
    c.inputs[0] = c.inputs[0].to(DType::kBF16);
    c.inputs[1] = ops::pack_pairs(c.inputs[1]);
    check_rounded(c, row.text() + ", bfloat16");
  }
}

}  // namespace
}  // namespace effdet::kernels
