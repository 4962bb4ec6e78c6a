// Reductions against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, ReductionsOfNeighbouringAxes) {
  constexpr const char* kOps[] = {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL2"};
  const Ints axes[] = {{3}, {2, 3}, {1, 2}, {0}, {1, 2, 3}, {0, 1, 2, 3}};
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    Case c = onnx_case(kOps[row.flags % std::size(kOps)], {{"axes", axes[(row.flags >> 4) % std::size(axes)]}});
    c.set("keepdims", int64_t{row.flag(10)});
    c.terms = 10'000;
    c.add(random_tensor(shape, 1));
    check_float32(c, "cpu:reduce", fmt::format("{} of {}", c.node.op, shape_text(shape)));
  }
}

TEST_P(Kernels, ReductionsOfManyValues) {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceL2"})
    for (const Shape& shape : {Shape{1, 100'000}, Shape{3, 5'000, 7}, Shape{2, 2, 70'001}, Shape{600, 5'000}}) {
      Case c = onnx_case(op, {{"axes", Ints{shape.size() == 3 && shape[1] > 2 ? 1 : shape[0] == 600 ? 0 : -1}}});
      c.terms = 2000;
      c.add(random_tensor(shape, 1));
      check_float32(c, "cpu:reduce", fmt::format("{} of {}", op, shape_text(shape)));
    }
}

TEST_P(Kernels, GlobalPools) {
  for (const Row& row : window_rows())
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
      Case c = onnx_case(op, {});
      c.terms = row.height * row.width;
      c.add(random_tensor({row.batch, row.channels, row.height, row.width}, 1));
      check_float32(c, "cpu:reduce", row.text());
    }
}

/// Adding up one after the other would lose four digits of seven here.
TEST_P(Kernels, MeansOfALargeMapAreExact) {
  for (const Ints& axes : {Ints{2, 3}, Ints{0, 1, 2}}) {
    Case c = onnx_case("ReduceMean", {{"axes", axes}});
    Tensor map(DType::kF32, axes[0] == 0 ? Shape{1, 1024, 1024, 1} : Shape{1, 1, 1024, 1024});
    if (axes[0] == 0) map = Tensor(DType::kF32, {1, 1024, 512, 2});
    for (float& value : map.mutable_data<float>()) value = 0.1f;
    c.add(map);
    EXPECT_NEAR(run(c, /*reference_only=*/false, 2, "cpu:reduce")[0].data<float>()[0], 0.1f, 1e-7f);
  }
}

}  // namespace
}  // namespace effdet::kernels
