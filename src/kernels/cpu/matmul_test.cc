// Matrix products against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, MatMulByPackedWeights) {
  for (const Row& row : channel_rows()) {
    const Shape shape =
        row.flag(0) ? Shape{row.batch, row.height * row.width, row.channels} : Shape{row.height, row.channels};
    Shape result = shape;
    result.back() = row.out;
    Case c("MatMul", {{"out_channels", row.out}, {"activation", row.activation + (row.flag(1) ? "; mul x0 0.5" : "")}});
    c.terms = row.channels;
    c.add(random_tensor(shape, 1));
    c.add(ops::pack_conv_weights(random_weights({row.out, row.channels, 1, 1}, row.channels, 2)));
    c.add(panel_bias(row.out, 3));
    if (row.flag(2)) c.add(random_tensor(result, 4));
    check_float32(c, "cpu:gemm", row.text());
  }
}

TEST_P(Kernels, MatMulOfTwoInputs) {
  struct Shapes {
    Shape a, b;
  };
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 10'000) continue;
    const int64_t m = row.height * row.width, k = row.channels, n = row.out;
    const Shapes shapes[] = {
        {{m, k}, {k, n}}, {{2, 3, m, k}, {2, 3, k, n}}, {{2, 1, m, k}, {3, k, n}}, {{m, k}, {2, k, n}}, {{k}, {k, n}},
        {{2, m, k}, {k}}};
    const auto& [a, b] = shapes[row.flags % std::size(shapes)];
    Case c = onnx_case("MatMul", {});
    c.terms = k;
    c.add(random_tensor(a, 1));
    c.add(random_weights(b, k, 2));
    check_float32(c, "cpu:matmul", fmt::format("{} by {}", shape_text(a), shape_text(b)));
  }
}

/// What takes far more memory than the tensors have is left to the reference.
TEST(Choice, PanelsOfMostlyZerosAreRefused) {
  const auto refusal = [](const ir::Node& node, const std::vector<Shape>& inputs, const Shape& output) {
    std::vector<ValueInfo> infos;
    for (const Shape& shape : inputs) infos.push_back({DType::kF32, shape});
    const std::vector<ValueInfo> outputs{{DType::kF32, output}};
    return choose(cpu::device(), {node, 13, infos, outputs}).refusals;
  };
  const Case product = onnx_case("MatMul", {});
  EXPECT_EQ(refusal(product.node, {{1, 1 << 21}, {1 << 21, 1}}, {1, 1}),
            std::vector<std::string>{"cpu:matmul: mostly zeros beside the values"});
  EXPECT_EQ(refusal(product.node, {{1 << 17, 1, 2}, {1 << 17, 2, 1}}, {1 << 17, 1, 1}),
            std::vector<std::string>{"cpu:matmul: too many small matrices"});
}

}  // namespace
}  // namespace effdet::kernels
