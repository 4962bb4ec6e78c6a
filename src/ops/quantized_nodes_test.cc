// Nodes on quantized tensors. Values are worked out by hand.
#include "ops/quantized_nodes.h"

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

Tensor bytes(Shape shape, const std::vector<uint8_t>& values) {
  return Tensor::from<uint8_t>(std::move(shape), values);
}
Tensor codes(Shape shape, const std::vector<int8_t>& values) { return Tensor::from<int8_t>(std::move(shape), values); }
Tensor scale(float value) { return floats({}, {value}); }
Tensor zero(uint8_t value) { return Tensor::scalar(value); }

std::vector<double> run(std::string op, std::string_view domain, const std::vector<Tensor>& inputs,
                        std::map<std::string, ir::Attribute> attributes = {}) {
  ir::Node node{std::move(op), std::string(domain), "test", {}, {ir::ValueId{99}}, std::move(attributes)};
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) {
    node.inputs.push_back(input.empty() ? ir::kNoValue : static_cast<ir::ValueId>(pointers.size()));
    pointers.push_back(input.empty() ? nullptr : &input);
  }
  return values<double>(evaluate_node(node, 13, pointers)[0].to(DType::kF64));
}

using Numbers = std::vector<double>;

TEST(QuantizedNodes, Products) {
  // (x - 1) * 0.5 and w * [1, 2]: one pixel of two channels. Sums are [1 * 0.5 * 3, ...], the bias is in 0.5 * [1, 2].
  const Tensor x = bytes({1, 2, 1, 1}, {3, 5}), w = codes({2, 2, 1, 1}, {1, 2, -1, 4});
  const Tensor bias = Tensor::from<int32_t>({2}, std::vector<int32_t>{2, -3});
  // Channel 0: 1 * 1 + 2 * 2 + 1 = 6; channel 1: (1 * -1 + 2 * 4 - 1.5 * 2 / 2) ... in scale 2: 7 * 2 - 3 = 11.
  EXPECT_EQ(run("QLinearConv", "",
                {x, scale(0.5f), zero(1), w, list({1, 2}), codes({2}, {0, 0}), scale(0.25f), zero(10), bias}),
            (Numbers{34, 54}));
  EXPECT_EQ(run("QLinearConv", "", {x, scale(0.5f), zero(1), w, scale(1), codes({}, {0}), scale(1), zero(0)}),
            (Numbers{5, 7}));
  const Tensor a = bytes({1, 2}, {2, 4}), b = codes({2, 2}, {1, 3, 2, -1});
  EXPECT_EQ(run("QLinearMatMul", "", {a, scale(1), zero(0), b, list({1, 3}), codes({2}, {0, 0}), scale(1), zero(7)}),
            (Numbers{17, 13}));
  const Tensor c = Tensor::from<int32_t>({2}, std::vector<int32_t>{1, 1});
  EXPECT_EQ(
      run("QGemm", kContribDomain, {a, scale(1), zero(0), b, list({1, 3}), codes({2}, {0, 0}), c, scale(0.5f), zero(0)},
          {{"alpha", 0.5f}}),
      (Numbers{11, 9}));
  EXPECT_EQ(run("QGemm", kContribDomain, {a, scale(1), zero(0), b, scale(1), codes({}, {0})}, {{"transB", int64_t{1}}}),
            (Numbers{14, 0}))
      << "float without a scale of its own";
}

TEST(QuantizedNodes, Elementwise) {
  const Tensor a = bytes({2}, {12, 30}), b = bytes({2}, {3, 200});
  EXPECT_EQ(run("QLinearAdd", kContribDomain, {a, scale(0.5f), zero(10), b, scale(1), zero(0), scale(0.5f), zero(5)}),
            (Numbers{13, 255}));
  EXPECT_EQ(run("QLinearMul", kContribDomain, {a, scale(0.5f), zero(10), b, scale(1), zero(0), scale(4), Tensor()}),
            (Numbers{1, 255}))
      << "3 / 4, and 2000 / 4; no zero point is 0";
  EXPECT_EQ(run("QLinearSigmoid", kContribDomain, {a, scale(1), zero(12), scale(1.0f / 256), zero(0)}),
            (Numbers{128, 255}));
  EXPECT_EQ(run("QLinearLeakyRelu", kContribDomain, {a, scale(1), zero(22), scale(1), zero(20)}, {{"alpha", 0.5f}}),
            (Numbers{15, 28}));
  EXPECT_EQ(run("QLinearWhere", kContribDomain,
                {bools({1, 0}), a, scale(1), zero(10), b, scale(1), zero(0), scale(2), zero(1)}),
            (Numbers{2, 101}));
}

TEST(QuantizedNodes, PoolsConcatAndSoftmax) {
  const Tensor x = bytes({1, 1, 2, 2}, {2, 4, 6, 8});
  EXPECT_EQ(run("QLinearGlobalAveragePool", kContribDomain, {x, scale(1), zero(1), scale(0.5f), zero(3)}),
            (Numbers{11}));
  EXPECT_EQ(run("QLinearAveragePool", kContribDomain, {x, scale(1), zero(1), scale(0.5f), zero(3)},
                {{"kernel_shape", List{1, 2}}}),
            (Numbers{7, 15}));
  EXPECT_THROW(run("QLinearAveragePool", kContribDomain, {x, scale(1), zero(1), scale(0.5f), zero(3)},
                   {{"kernel_shape", List{1, 2}}, {"channels_last", int64_t{1}}}),
               Error);
  EXPECT_EQ(run("QLinearConcat", kContribDomain,
                {scale(0.5f), zero(1), bytes({1}, {3}), scale(1), zero(0), bytes({1}, {9}), scale(0.5f), zero(4)},
                {{"axis", int64_t{0}}}),
            (Numbers{7, 6}));
  EXPECT_THROW(run("QLinearConcat", kContribDomain, {scale(1), zero(0), bytes({1}, {3}), scale(1), zero(0), scale(1)},
                   {{"axis", int64_t{0}}}),
               Error);
  EXPECT_EQ(run("QLinearSoftmax", kContribDomain, {bytes({1, 2}, {7, 7}), scale(1), zero(0), scale(0.01f), zero(0)},
                {{"axis", int64_t{1}}, {"opset", int64_t{11}}}),
            (Numbers{50, 50}));
}

TEST(QuantizedNodes, IntegerMatMul) {
  const Tensor a = bytes({2, 2}, {1, 2, 3, 4}), b = codes({2, 1}, {5, -6});
  EXPECT_EQ(run("MatMulInteger", "", {a, b}), (Numbers{-7, -9}));
  EXPECT_EQ(run("MatMulInteger", "", {a, b, bytes({2}, {1, 3}), codes({1}, {1})}), (Numbers{-7, -7}));
  EXPECT_THROW(run("MatMulInteger", "", {a, b, codes({}, {1})}), Error) << "int8 for uint8";
  EXPECT_THROW(run("MatMulInteger", "", {a, b, bytes({3}, {1, 2, 3})}), Error);
}

/// Two matrices [1, 2] and two [2, 2]: one scale for each row of the first, and for each matrix's columns of the
/// second.
TEST(QuantizedNodes, ScalesOfSeveralDimensions) {
  const Tensor a = bytes({2, 1, 2}, {2, 4, 1, 1}), b = codes({2, 2, 2}, {1, 3, 2, -1, 1, 1, 1, 1});
  EXPECT_EQ(run("QLinearMatMul", "",
                {a, floats({2, 1, 1}, {1, 2}), bytes({2, 1, 1}, {0, 0}), b, floats({2, 1, 2}, {1, 3, 1, 0.5f}),
                 codes({2, 1, 2}, {0, 0, -1, 1}), scale(1), zero(7)}),
            (Numbers{17, 13, 15, 7}));
}

TEST(QuantizedNodes, ScalesOfOtherShapesAreNamed) {
  const Tensor a = bytes({1, 2}, {2, 4}), b = codes({2, 2}, {1, 3, 2, -1});
  const auto refusal = [&](const Tensor& scales, const Tensor& zeros) -> std::string {
    try {
      run("QLinearMatMul", "", {a, scale(1), zero(0), b, scales, zeros, scale(1), zero(7)});
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string node = "node 'test' (QLinearMatMul): ";
  EXPECT_EQ(refusal(list({1, 3, 1}), codes({3}, {0, 0, 0})),
            "node 'test' (DequantizeLinear): scale of shape 3 for an input of 2x2, which has 2 positions on axis 1");
  EXPECT_EQ(refusal(floats({2, 1, 2}, {1, 1, 1, 1}), codes({2, 1, 2}, {0, 0, 0, 0})),
            node + "scale of shape 2x1x2 for matrices of 2x2");
  EXPECT_EQ(refusal(floats({1, 2}, {1, 1}), codes({2}, {0, 0})), node + "scale of shape 1x2 and zero point of 2");
  EXPECT_EQ(refusal(floats({1, 2}, {1, 1}), bytes({1, 2}, {0, 0})), node + "int8 with a zero point of uint8");
  EXPECT_EQ(refusal(floats({1, 2}, {1, -1}), codes({1, 2}, {0, 0})), node + "scale 1 is -1, not a positive number");
}

}  // namespace
}  // namespace effdet::ops
