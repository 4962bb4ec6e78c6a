// Operators that move elements by strides, against the reference kernels.
#include <numeric>

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, TransposeOfAnyOrder) {
  const Shape shapes[] = {{3, 5}, {1, 7, 4}, {2, 1, 65, 33}, {2, 3, 4, 5}, {1, 2, 3, 2, 5}, {64, 200}, {3, 70, 130}};
  for (const Shape& shape : shapes)
    for (const DType dtype : {DType::kF32, DType::kBF16, DType::kU8, DType::kI64}) {
      Ints order(shape.size());
      std::iota(order.begin(), order.end(), int64_t{0});
      do {
        Case c = onnx_case("Transpose", {{"perm", order}});
        c.add(counted(shape, dtype));
        expect_equal(c, "cpu:transpose", fmt::format("{} by {}", shape_text(shape), fmt::join(order, ",")));
      } while (std::ranges::next_permutation(order).found && shape.size() < 5);
    }
}

TEST_P(Kernels, BlocksOfDepthAndSpace) {
  for (const int64_t block : {1, 2, 3})
    for (const char* mode : {"DCR", "CRD"}) {
      Case deep = onnx_case("DepthToSpace", {{"blocksize", block}, {"mode", std::string(mode)}});
      deep.add(counted({2, 5 * block * block, 3, 7}, DType::kF32));
      expect_equal(deep, "cpu:transpose", fmt::format("{} by {}", mode, block));
      Case wide = onnx_case("SpaceToDepth", {{"blocksize", block}});
      wide.add(counted({2, 3, 5 * block, 7 * block}, DType::kF32));
      expect_equal(wide, "cpu:transpose", std::to_string(block));
    }
}

TEST_P(Kernels, SliceByAnyStep) {
  struct Slice {
    Ints starts, ends, axes, steps;
  };
  const Slice slices[] = {{{1}, {100}, {-1}, {2}},   {{0, 1}, {3, 9}, {0, 1}, {1, 3}},
                          {{-1}, {-100}, {3}, {-2}}, {{2, 1}, {3, 5}, {1, 3}, {1, 1}},
                          {{5}, {2}, {1}, {-1}},     {{0}, {1}, {2}, {7}}};
  for (const Slice& slice : slices)
    for (const DType dtype : {DType::kF32, DType::kI64, DType::kU8}) {
      Case c = onnx_case("Slice", {});
      c.add(counted({3, 6, 5, 37}, dtype));
      for (const Ints& list : {slice.starts, slice.ends, slice.axes, slice.steps}) c.add(int_list(list));
      expect_equal(c, "cpu:slice", fmt::format("{} to {}", fmt::join(slice.starts, ","), fmt::join(slice.ends, ",")));
    }
}

TEST_P(Kernels, ExpandRepeats) {
  for (const Shape& shape : {Shape{1}, Shape{5, 1}, Shape{3, 1, 1}, Shape{1, 5, 70}, Shape{}}) {
    Case c = onnx_case("Expand", {});
    c.add(counted(shape, DType::kF32));
    c.add(int_list({2, 3, 5, 70}));
    expect_equal(c, "cpu:expand", shape_text(shape));
  }
}

TEST_P(Kernels, SameBytesUnderAnotherShape) {
  for (const int64_t count : {int64_t{1}, int64_t{12}, int64_t{100'000}}) {
    Case c = onnx_case("Reshape", {});
    c.add(counted({count, 2}, DType::kF32));
    c.add(int_list({2, -1}));
    expect_equal(c, "cpu:copy", std::to_string(count));
  }
}

TEST_P(Kernels, Transpose) {
  for (const Row& row : window_rows())
    for (const Ints& order : {Ints{0, 2, 3, 1}, Ints{0, 3, 1, 2}}) {
      Case c("Transpose", {{"perm", order}});
      c.node.domain = "";
      c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
      check(c, "cpu:transpose", row.text());
    }
}

}  // namespace
}  // namespace effdet::kernels
