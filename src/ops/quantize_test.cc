// Quantization. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

/// Types that opset 23 lets a file choose.
TEST(Operators, QuantizationInOtherTypes) {
  const int64_t kFloat16 = 10;
  const Tensor bytes = Tensor::from<uint8_t>({2}, std::vector<uint8_t>{3, 200});
  const Tensor half = run_node("DequantizeLinear", {bytes, floats({}, {0.1f})}, {{"output_dtype", kFloat16}}, 23)[0];
  EXPECT_EQ(half.dtype(), DType::kF16);
  EXPECT_NEAR(values(half.to(DType::kF32))[1], 20, 1e-2);
  // 2.50025 in float32, 2.5 in float16, and halves go to the even number.
  const Tensor x = list({2.5f}), scale = list({0.9999f});
  expect_values({{"QuantizeLinear", {x, scale}, {3}, {}, 23},
                 {"QuantizeLinear", {x, scale}, {2}, {{"precision", kFloat16}}, 23}});
  EXPECT_THROW(run_node("QuantizeLinear", {x, scale}, {{"precision", int64_t{11}}}, 23), Error);
  EXPECT_THROW(run_node("DequantizeLinear", {bytes, floats({}, {1})}, {{"output_dtype", int64_t{2}}}, 23), Error);
}

TEST(Operators, Quantization) {
  const auto bytes = [](std::vector<uint8_t> values) {
    return Tensor::from<uint8_t>({static_cast<int64_t>(values.size())}, values);
  };
  const Tensor scale = floats({}, {2}), zero = Tensor::scalar<uint8_t>(10);
  expect_values({
      {"QuantizeLinear", {list({0, 3, 5, 1000, -1000}), scale, zero}, {10, 12, 12, 255, 0}},
      {"QuantizeLinear", {floats({2, 2}, {2, 4, 8, 12}), list({2, 4})}, {1, 2, 2, 3}, {{"axis", int64_t{0}}}},
      {"DequantizeLinear", {bytes({10, 12}), scale, zero}, {0, 4}},
      // One for all is a scalar or a list of one; ONNX Runtime's quantizer writes the scale so and the zero point so.
      {"QuantizeLinear", {list({0, 3, 5, 1000, -1000}), list({2}), zero}, {10, 12, 12, 255, 0}},
      {"QuantizeLinear", {list({0, 3}), scale, bytes({10})}, {10, 12}},
      {"QuantizeLinear", {list({0, 3}), list({2}), bytes({10})}, {10, 12}},
      {"QuantizeLinear", {list({0, 3}), list({2})}, {0, 2}},
      {"DequantizeLinear", {bytes({10, 12}), list({2}), zero}, {0, 4}},
      {"DequantizeLinear", {bytes({10, 12}), scale, bytes({10})}, {0, 4}},
      {"DequantizeLinear",
       {Tensor::from<int32_t>({2}, std::vector<int32_t>{-3, 500}), list({2}), Tensor::scalar(0)},
       {-6, 1000}},
      {"DequantizeLinear",
       {Tensor::from<int8_t>({2, 2}, std::vector<int8_t>{1, 2, 3, 4}), list({2, 10}),
        Tensor::from<int8_t>({2}, std::vector<int8_t>{1, 2})},
       {0, 2, 10, 20},
       {{"axis", int64_t{0}}}},
      {"DynamicQuantizeLinear", {list({0, 2, -3, -2.5f, 1.34f, 0.5f})}, {153, 255, 0, 26, 221, 179}},
      {"ConvInteger",
       {Tensor::from<uint8_t>({1, 1, 2}, std::vector<uint8_t>{1, 2}),
        Tensor::from<uint8_t>({1, 1, 2}, std::vector<uint8_t>{3, 4}), Tensor::scalar<uint8_t>(1)},
       {4}},
  });
}

}  // namespace
}  // namespace effdet::ops
