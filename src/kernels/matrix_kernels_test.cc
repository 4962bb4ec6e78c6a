// Matrix products, softmax and reductions against the reference kernels.
#include <cmath>

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

Case plain_case(const char* op, std::map<std::string, ir::Attribute> attributes) {
  Case c(op, std::move(attributes));
  c.node.domain = "";
  return c;
}

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
    Case c = plain_case("MatMul", {});
    c.terms = k;
    c.add(random_tensor(a, 1));
    c.add(random_weights(b, k, 2));
    check_float32(c, "cpu:matmul", fmt::format("{} by {}", shape_text(a), shape_text(b)));
  }
}

TEST_P(Kernels, SoftmaxAlongAnyAxis) {
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    Case c = plain_case("Softmax", {{"axis", int64_t{1 + row.flags % 3}}});
    c.add(random_tensor(shape, 1));
    check_float32(c, "cpu:softmax", fmt::format("{}, axis {}", shape_text(shape), 1 + row.flags % 3));
  }
}

TEST_P(Kernels, SoftmaxOfLargeNumbers) {
  Case c = plain_case("Softmax", {{"axis", int64_t{1}}});
  c.add(Tensor::from<float>({2, 5}, std::vector<float>{1000, 999, -1000, 0, 998, -3e38f, 3e38f, 0, 1, 2}));
  check_float32(c, "cpu:softmax", "large");
}

/// Wherever a NaN stands, it is in what is made of it.
TEST_P(Kernels, SoftmaxAndReductionsKeepNaN) {
  for (const int64_t place : {0, 1, 16, 40, 1500, 2999})
    for (const int64_t axis : {0, 1})
      for (const char* op : {"Softmax", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"}) {
        const bool is_softmax = op == std::string_view("Softmax");
        Case c = plain_case(op, {});
        c.set(is_softmax ? "axis" : "axes", is_softmax ? ir::Attribute(axis) : ir::Attribute(Ints{axis}));
        c.opset = 13 - (is_softmax ? 0 : 2);
        Tensor x = random_tensor(axis == 0 ? Shape{3000, 2} : Shape{2, 3000}, 1);
        x.mutable_data<float>()[static_cast<size_t>(axis == 0 ? 2 * place : place)] = NAN;
        c.add(x);
        const Tensor want = run(c, true, 1)[0], got = run(c, false, 2, is_softmax ? "cpu:softmax" : "cpu:reduce")[0];
        for (size_t i = 0; i < static_cast<size_t>(want.numel()); ++i)
          EXPECT_EQ(std::isnan(got.data<float>()[i]), std::isnan(want.data<float>()[i])) << op << ", place " << place;
      }
}

TEST_P(Kernels, LayerNormalization) {
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    const int64_t axis = row.flag(0) ? 2 : -1;
    const Shape normalized = axis == 2 ? Shape{row.out, row.channels} : Shape{row.channels};
    Case c = plain_case("LayerNormalization", {{"axis", axis}, {"epsilon", 1e-3f}});
    c.opset = 17;
    c.terms = 20'000;
    c.add(random_tensor(shape, 1));
    c.add(random_tensor(normalized, 2));
    if (row.flag(1)) c.add(random_tensor(normalized, 3));
    check_float32(c, "cpu:layer_norm", fmt::format("{} from axis {}", shape_text(shape), axis));
  }
}

TEST_P(Kernels, ReductionsOfNeighbouringAxes) {
  constexpr const char* kOps[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL2"};
  const Ints axes[] = {{3}, {2, 3}, {1, 2}, {0}, {1, 2, 3}, {0, 1, 2, 3}};
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    Case c = plain_case(kOps[row.flags % std::size(kOps)], {{"axes", axes[(row.flags >> 4) % std::size(axes)]}});
    c.set("keepdims", int64_t{row.flag(10)});
    c.terms = 10'000;
    c.add(random_tensor(shape, 1));
    check_float32(c, "cpu:reduce", fmt::format("{} of {}", c.node.op, shape_text(shape)));
  }
}

TEST_P(Kernels, ReductionsOfManyValues) {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceL2"})
    for (const Shape& shape : {Shape{1, 100'000}, Shape{3, 5'000, 7}, Shape{2, 2, 70'001}, Shape{600, 5'000}}) {
      Case c = plain_case(op, {{"axes", Ints{shape.size() == 3 && shape[1] > 2 ? 1 : shape[0] == 600 ? 0 : -1}}});
      c.terms = 2000;
      c.add(random_tensor(shape, 1));
      check_float32(c, "cpu:reduce", fmt::format("{} of {}", op, shape_text(shape)));
    }
}

TEST_P(Kernels, GlobalPools) {
  for (const Row& row : window_rows())
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
      Case c = plain_case(op, {});
      c.terms = row.height * row.width;
      c.add(random_tensor({row.batch, row.channels, row.height, row.width}, 1));
      check_float32(c, "cpu:reduce", row.text());
    }
}

TEST_P(Kernels, Lstm) {
  for (const int64_t hidden : {1, 7, 16, 17, 65, 130})
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      const int64_t directions = direction == std::string_view("bidirectional") ? 2 : 1;
      const int64_t batch = 1 + hidden % 3, steps = 1 + hidden % 5, inputs = hidden % 2 == 0 ? 70 : 3;
      Case c = plain_case("LSTM", {{"direction", std::string(direction)}, {"hidden_size", hidden}});
      c.terms = 10'000;
      c.add(random_tensor({steps, batch, inputs}, 1));
      c.add(random_weights({directions, 4 * hidden, inputs}, inputs, 2));
      c.add(random_weights({directions, 4 * hidden, hidden}, hidden, 3));
      c.add(hidden == 7 ? Tensor() : random_tensor({directions, 8 * hidden}, 4));
      c.add(Tensor());
      c.add(hidden == 16 ? Tensor() : random_tensor({directions, batch, hidden}, 5));
      c.add(hidden == 17 ? Tensor() : random_tensor({directions, batch, hidden}, 6));
      c.want(3);
      check_float32(c, "cpu:lstm", fmt::format("{} hidden, {}", hidden, direction));
    }
}

/// What takes far more memory than the tensors have is left to the reference.
TEST(Choice, PanelsOfMostlyZerosAreRefused) {
  const auto refusal = [](const ir::Node& node, const std::vector<Shape>& inputs, const Shape& output) {
    std::vector<ValueInfo> infos;
    for (const Shape& shape : inputs) infos.push_back({DType::kF32, shape});
    const std::vector<ValueInfo> outputs{{DType::kF32, output}};
    return choose({node, 13, infos, outputs}).refusals;
  };
  const Case product = plain_case("MatMul", {});
  EXPECT_EQ(refusal(product.node, {{1, 1 << 21}, {1 << 21, 1}}, {1, 1}),
            std::vector<std::string>{"cpu:matmul: mostly zeros beside the values"});
  EXPECT_EQ(refusal(product.node, {{1 << 17, 1, 2}, {1 << 17, 2, 1}}, {1 << 17, 1, 1}),
            std::vector<std::string>{"cpu:matmul: too many small matrices"});
}

TEST(Choice, LongSequencesOfFewValuesAreRefused) {
  const Tensor w(DType::kF32, {1, 4, 1}), r(DType::kF32, {1, 4, 1});
  const Case c = plain_case("LSTM", {{"hidden_size", int64_t{1}}});
  const std::vector<ValueInfo> inputs{
      {DType::kF32, {1 << 20, 1, 1}}, {DType::kF32, w.shape(), &w}, {DType::kF32, r.shape(), &r}};
  const std::vector<ValueInfo> outputs{{DType::kF32, {1 << 20, 1, 1, 1}}};
  EXPECT_EQ(choose({c.node, 13, inputs, outputs}).refusals, std::vector<std::string>{"cpu:lstm: sums of mostly zeros"});
}

/// Adding up one after the other would lose four digits of seven here.
TEST_P(Kernels, MeansOfALargeMapAreExact) {
  for (const Ints& axes : {Ints{2, 3}, Ints{0, 1, 2}}) {
    Case c = plain_case("ReduceMean", {{"axes", axes}});
    Tensor map(DType::kF32, axes[0] == 0 ? Shape{1, 1024, 1024, 1} : Shape{1, 1, 1024, 1024});
    if (axes[0] == 0) map = Tensor(DType::kF32, {1, 1024, 512, 2});
    for (float& value : map.mutable_data<float>()) value = 0.1f;
    c.add(map);
    EXPECT_NEAR(run(c, /*reference_only=*/false, 2, "cpu:reduce")[0].data<float>()[0], 0.1f, 1e-7f);
  }
}

}  // namespace
}  // namespace effdet::kernels
