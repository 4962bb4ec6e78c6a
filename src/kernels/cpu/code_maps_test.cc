// Kernels on maps of 8-bit codes against the reference kernels: the same bits.
#include <random>

#include "kernels/cpu/conv_test_util.h"
#include "kernels/cpu/depthwise_test_util.h"
#include "ops/fused/conv.h"
#include "ops/fused/quantization.h"

namespace effdet::kernels {
namespace {

using ops::Quantization;

/// Also on the instruction sets that differ from others in products of codes alone.
class CodeMaps : public Kernels {};
INSTANTIATE_TEST_SUITE_P(Isa, CodeMaps,
                         testing::Values("amx_bf16", "avx512_vnni", "avx512", "avx_vnni", "avx2", "sse2"),
                         [](const auto& isa) { return std::string(isa.param); });

/// Codes, or int8 weights: every byte equally often.
Tensor random_bytes(const Shape& shape, DType dtype, uint32_t seed) {
  Tensor tensor(dtype, shape);
  std::mt19937 random(seed);
  for (std::byte& byte : tensor.mutable_bytes()) byte = static_cast<std::byte>(random() >> 8);
  return tensor;
}

/// Integers in [-limit, limit].
Tensor random_integers(const Shape& shape, int32_t limit, uint32_t seed) {
  Tensor tensor(DType::kI32, shape);
  std::mt19937 random(seed);
  for (int32_t& value : tensor.mutable_data<int32_t>())
    value = static_cast<int32_t>(random() % (2 * static_cast<uint32_t>(limit) + 1)) - limit;
  return tensor;
}

/// Numbers in [0, 2 * middle].
Tensor around(const Shape& shape, float middle, uint32_t seed) {
  Tensor tensor = random_tensor(shape, seed);
  for (float& value : tensor.mutable_data<float>()) value = middle * (1 + value / 2);
  return tensor;
}

/// Scales and zero points take turns, the ends among them; scales from far below swish's curve to far above it.
Quantization turned_quantization(uint32_t flags) {
  constexpr float kScales[] = {0.02f, 0.5f, 0.004f, 0.0003f, 0.11f};
  constexpr int32_t kZeroPoints[] = {0, 255, 128, 7, 131};
  return {kScales[flags % 5], kZeroPoints[flags / 5 % 5]};
}

void expect_same_bits(const Case& c, std::string_view implementation, const std::string& what) {
  SCOPED_TRACE(what);
  const auto want = run(c, true, 1);
  for (const int threads : {1, 3}) {
    const auto got = run(c, false, threads, implementation);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(got[i].bytes(), want[i].bytes())) << "output " << i << ", threads " << threads;
  }
}

/// An activation that rounding takes.
std::string rounded_activation(const Row& row) {
  constexpr const char* kRounded[] = {"swish", "none", "relu", "relu6", "hardswish", "hardsigmoid", "leakyrelu"};
  return kRounded[(row.flags >> 16) % std::size(kRounded)];
}

Case codes_depthwise_case(const Row& row) {
  Case c("DepthwiseConv", window_attributes(row));
  const Quantization x = turned_quantization(row.flags), y = turned_quantization(row.flags >> 8);
  c.set("activation", rounded_activation(row));
  ops::set_quantization(c.node, "x", x);
  ops::set_quantization(c.node, "y", y);
  c.terms = row.kernel * row.kernel;
  c.add(random_bytes({row.batch, row.height, row.width, row.channels}, DType::kU8, 1));
  c.add(random_bytes({row.kernel, row.kernel, row.channels}, DType::kI8, 2));
  c.add(random_integers({row.channels}, 5000, 3));
  // So that numbers spread over codes, and some beyond them.
  c.add(around({row.channels}, y.scale / x.scale / 100, 4));
  if (row.flag(0)) c.want(2);
  return c;
}

TEST_P(CodeMaps, Depthwise) {
  for (const Row& row : window_rows()) expect_same_bits(codes_depthwise_case(row), "cpu:depthwise_int8", row.text());
}

TEST_P(CodeMaps, DepthwiseOtherWindows) {
  for (Row row : window_rows())
    for (const auto& [kernel, stride] : {std::pair{7, 1}, {7, 3}, {2, 2}, {1, 1}, {4, 3}, {9, 1}}) {
      if (row.channels > 70 || row.kernel == 5) continue;
      row.kernel = kernel;
      row.stride = stride;
      row.pads = {kernel / 2, kernel / 2, kernel - 1, kernel / 2};
      expect_same_bits(codes_depthwise_case(row), "cpu:depthwise_int8", row.text());
    }
}

TEST_P(CodeMaps, DepthwiseLargeMaps) {
  for (const int64_t channels : {17, 96, 1152})
    for (Row row : large_rows(channels, channels, 41)) {
      if (channels > 1000) row.height = row.width = 9;
      row.flags = static_cast<uint32_t>(row.flags * 7919 + row.kernel) | 1;
      expect_same_bits(codes_depthwise_case(row), "cpu:depthwise_int8", row.text());
    }
}

TEST_P(CodeMaps, DepthwiseToFloats) {
  for (const Row& row : window_rows())
    for (const char* type : {"float32", "bfloat16"}) {
      Case c = codes_depthwise_case(row);
      for (const char* attribute : {"y_scale", "y_zero_point"}) c.node.attributes.erase(attribute);
      c.set("activation", row.activation);
      c.set("output_type", std::string(type));
      if (type[0] == 'b') c.terms = int64_t{1} << 37;  // results are rounded to 8 bits
      check_float32(c, "cpu:depthwise_int8", row.text());
    }
}

/// Floats' sums differ in their last places: codes by one step, and means with them.
TEST_P(Kernels, DepthwiseOfFloatsToCodes) {
  for (const Row& row : window_rows())
    for (const DType type : {DType::kF32, DType::kBF16}) {
      Case c("DepthwiseConv", window_attributes(row));
      c.set("activation", rounded_activation(row));
      c.set("output_type", std::string("uint8"));
      const Quantization y{0.03f, 60};
      ops::set_quantization(c.node, "y", y);
      c.add(map_of(row).to(type));
      add_depthwise_weights(c, row, row.channels);
      if (row.flag(0)) c.want(2);
      SCOPED_TRACE(row.text());
      const auto want = run(c, true, 1), got = run(c, false, 3, "cpu:depthwise");
      for (int64_t i = 0; i < want[0].numel(); ++i)
        ASSERT_LE(std::abs(got[0].data<uint8_t>()[i] - want[0].data<uint8_t>()[i]), 1) << i;
      for (int64_t i = 0; got.size() > 1 && i < want[1].numel(); ++i)
        ASSERT_LE(std::abs(got[1].data<float>()[i] - want[1].data<float>()[i]), 1.01f * y.scale) << i;
    }
}

/// int8 weights alone: a quarter of the memory, and the arithmetic of floats.
TEST_P(Kernels, DepthwiseByWeightsOfInt8) {
  for (const Row& row : window_rows()) {
    Case c("DepthwiseConv", window_attributes(row));
    c.terms = row.kernel * row.kernel;
    c.add(map_of(row));
    c.add(random_bytes({row.kernel, row.kernel, row.channels}, DType::kI8, 2));
    c.add(random_tensor({row.channels}, 3));
    c.add(around({row.channels}, 0.01f / static_cast<float>(row.kernel), 4));
    if (row.flag(0)) c.want(2);
    check_float32(c, "cpu:depthwise", row.text());
    c.inputs[0] = c.inputs[0].to(DType::kBF16);
    c.terms = int64_t{1} << 37;  // results are rounded to 8 bits
    check_float32(c, "cpu:depthwise", row.text() + ", bfloat16");
  }
}

TEST_P(Kernels, ConvByWeightsOfInt8) {
  for (Row row : window_rows()) {
    if (row.channels > 70) continue;
    if (row.flag(3)) row.kernel = 1, row.pads = {0, 0, 0, 0};
    row.out = row.flag(4) ? 33 : 16;
    Case c = conv_case(row, /*nchw_input=*/row.flag(5));
    if (row.flag(5)) {
      c.set("output_layout", std::string("nhwc"));
    } else {
      add_extras(c, row);
    }
    while (c.inputs.size() < ops::ConvAttributes::kWeightScale) c.add(Tensor());
    c.inputs[1] = ops::pack_conv_weights(random_bytes({row.out, row.channels, row.kernel, row.kernel}, DType::kI8, 2));
    c.add(around({ops::padded_to_panels(row.out)}, 0.01f / std::sqrt(static_cast<float>(c.terms)), 4));
    check_float32(c, "cpu:int8_weights", row.text());
    if (row.flag(5) || c.node.attributes.contains("output_layout")) continue;
    for (const size_t map : {0, 3}) c.inputs[map] = c.inputs[map].empty() ? Tensor() : c.inputs[map].to(DType::kBF16);
    c.terms = int64_t{1} << 37;  // results are rounded to 8 bits
    check_float32(c, "cpu:int8_weights", row.text() + ", bfloat16");
  }
}

TEST_P(CodeMaps, DepthwiseBeyond32Bits) {
  Row row = window_rows()[0];
  Case c = codes_depthwise_case(row);
  c.inputs[3] = around({row.channels}, 1e20f, 4);
  expect_same_bits(c, "reference", "sums that vectors cannot round");
}

TEST_P(Kernels, GateOfCodes) {
  for (const Row& row : channel_rows()) {
    if (row.out > 7) continue;
    Case c("Gate", {{"layout", "nhwc"}});
    Quantization x = turned_quantization(row.flags), y = turned_quantization(row.flags >> 8);
    x.scale = std::min(x.scale, 16 * y.scale);
    ops::set_quantization(c.node, "x", x);
    ops::set_quantization(c.node, "y", y);
    c.add(random_bytes({row.batch, row.height, row.width, row.channels}, DType::kU8, 1));
    c.add(around({row.batch, row.channels}, 0.5f, 2));
    expect_same_bits(c, "cpu:gate", row.text());
  }
}

TEST_P(Kernels, GateOfManyChannels) {
  for (const int64_t channels : {1152, 8191}) {
    Case c("Gate", {{"layout", "nhwc"}});
    ops::set_quantization(c.node, "x", {0.05f, 7});
    ops::set_quantization(c.node, "y", {0.02f, 9});
    c.add(random_bytes({2, 5, 9, channels}, DType::kU8, 1));
    c.add(around({2, channels}, 0.5f, 2));
    expect_same_bits(c, "cpu:gate", std::to_string(channels));
  }
}

TEST_P(Kernels, GateOfFloats) {
  for (const Row& row : channel_rows()) {
    if (row.out > 7) continue;
    Case c("Gate", {{"layout", "nhwc"}});
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
    c.add(around({row.batch, row.channels}, 0.5f, 2));
    check(c, "cpu:gate", row.text());
  }
}

TEST_P(Kernels, MixOfCodes) {
  constexpr int64_t kSides[] = {3, 5, 1, 10, 9};  // whole factors, none, and smaller and larger ones
  for (const Row& row : channel_rows())
    for (size_t count = 1; count <= ops::kMaxMixInputs; ++count) {
      if (row.channels > 100 && count != 2) continue;
      Case c("Mix",
             {{"activation", rounded_activation(row)}, {"layout", "nhwc"}, {"size", Ints{row.height, row.width}}});
      std::vector<float> weights;
      std::vector<Quantization> maps;
      for (size_t i = 0; i < count; ++i) {
        const int64_t other = kSides[(row.flags >> (8 * i)) % 5];
        const Shape shape = i == 0 ? Shape{row.batch, row.height, row.width, row.channels}
                                   : Shape{row.batch, other, (other + row.width) / 2 + 1, row.channels};
        c.add(random_bytes(shape, DType::kU8, static_cast<uint32_t>(i + 1)));
        weights.push_back(0.25f * static_cast<float>(i + 1));
        maps.push_back(turned_quantization(row.flags >> (3 * i)));
      }
      c.set("weights", weights);
      ops::set_quantizations(c.node, "x", maps);
      ops::set_quantization(c.node, "y", turned_quantization(row.flags >> 13));
      expect_same_bits(c, "cpu:mix", fmt::format("{} maps, {}", count, row.text()));
      if (row.out != row.channels) break;  // all counts once for each channel count
    }
}

TEST_P(Kernels, MaxPoolOfCodes) {
  for (const Row& row : window_rows()) {
    Case c("MaxPool", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                       {"strides", Ints{row.stride, row.stride}},
                       {"pads", row.pads},
                       {"layout", "nhwc"}});
    c.node.attributes["zero_padding"] = int64_t{row.flag(16)};
    ops::set_quantization(c.node, "x", turned_quantization(row.flags));
    c.add(random_bytes({row.batch, row.height, row.width, row.channels}, DType::kU8, 4));
    expect_same_bits(c, "cpu:max_pool", row.text());
  }
}

TEST_P(Kernels, ResizeOfCodes) {
  for (const Row& row : channel_rows()) {
    if (row.channels > 100) break;
    Case c = onnx_case("Resize", {{"mode", "nearest"},
                                  {"coordinate_transformation_mode", row.flag(0) ? "asymmetric" : "half_pixel"},
                                  {"nearest_mode", row.flag(1) ? "floor" : "round_prefer_floor"}});
    c.add(random_bytes({row.batch, row.height, row.width, row.channels}, DType::kU8, 1));
    c.add(Tensor());
    c.add(Tensor());
    c.add(int_list({row.batch, 1 + row.flags % 17, 1 + row.flags / 17 % 17, row.channels}));
    expect_same_bits(c, "cpu:resize", row.text());
  }
}

TEST_P(Kernels, TableOfCodes) {
  for (const int64_t count : {1, 15, 16, 17, 63, 64, 65, 40'000}) {
    Case c("Table", {});
    c.add(random_bytes({1, count}, DType::kU8, 1));
    c.add(random_bytes({256}, DType::kU8, 2));
    expect_same_bits(c, "cpu:table", std::to_string(count));
  }
}

TEST_P(Kernels, QuantizeAndDequantize) {
  for (uint32_t flags = 0; flags < 25; ++flags)
    for (const int64_t count : {1, 15, 33, 64, 65, 40'000}) {
      const std::string what = fmt::format("{} of {}", flags, count);
      Case quantize("Quantize", {}), dequantize("Dequantize", {});
      const Quantization map = turned_quantization(flags);
      ops::set_quantization(quantize.node, "y", map);
      ops::set_quantization(dequantize.node, "x", map);
      quantize.add(count == 33 ? special_tensor({1, count}) : random_tensor({1, count}, flags));
      expect_same_bits(quantize, "cpu:quantize", what);
      quantize.inputs[0] = quantize.inputs[0].to(DType::kBF16);
      expect_same_bits(quantize, "cpu:quantize", what);
      dequantize.add(random_bytes({1, count}, DType::kU8, flags));
      expect_same_bits(dequantize, "cpu:dequantize", what);
      dequantize.set("output_type", std::string("bfloat16"));
      expect_same_bits(dequantize, "cpu:dequantize", what);
    }
}

}  // namespace
}  // namespace effdet::kernels
