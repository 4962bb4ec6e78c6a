// Softmax against the reference kernel.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, SoftmaxAlongAnyAxis) {
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    Case c = onnx_case("Softmax", {{"axis", int64_t{1 + row.flags % 3}}});
    c.add(random_tensor(shape, 1));
    check_float32(c, "cpu:softmax", fmt::format("{}, axis {}", shape_text(shape), 1 + row.flags % 3));
  }
}

TEST_P(Kernels, SoftmaxOfLargeNumbers) {
  Case c = onnx_case("Softmax", {{"axis", int64_t{1}}});
  c.add(Tensor::from<float>({2, 5}, std::vector<float>{1000, 999, -1000, 0, 998, -3e38f, 3e38f, 0, 1, 2}));
  check_float32(c, "cpu:softmax", "large");
}

/// Wherever a NaN stands, it is in what is made of it.
TEST_P(Kernels, SoftmaxAndReductionsKeepNaN) {
  for (const int64_t place : {0, 1, 16, 40, 1500, 2999})
    for (const int64_t axis : {0, 1})
      for (const char* op : {"Softmax", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"}) {
        const bool is_softmax = op == std::string_view("Softmax");
        Case c = onnx_case(op, {});
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

}  // namespace
}  // namespace effdet::kernels
