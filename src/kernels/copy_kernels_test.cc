// Operators that only move elements, against the reference kernels.
#include <limits>
#include <numeric>

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

Case onnx_case(const char* op, std::map<std::string, ir::Attribute> attributes) {
  Case c(op, std::move(attributes));
  c.node.domain = "";
  return c;
}

Tensor int_list(const Ints& values) { return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values); }

/// Elements that differ, of any type.
Tensor counted(const Shape& shape, DType dtype) {
  Tensor tensor(DType::kI32, shape);
  std::iota(tensor.mutable_data<int32_t>().begin(), tensor.mutable_data<int32_t>().end(), 1);
  return tensor.to(dtype);
}

/// Moved elements are the same bits.
void expect_equal(const Case& c, std::string_view implementation, const std::string& what) {
  SCOPED_TRACE(what);
  const auto want = run(c, true, 1), got = run(c, false, 3, implementation);
  EXPECT_TRUE(std::ranges::equal(got[0].bytes(), want[0].bytes()));
}

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

TEST_P(Kernels, GatherTakesRows) {
  for (const int64_t axis : {0, 1, 2, -1})
    for (const bool wide : {false, true})
      for (const DType dtype : {DType::kF32, DType::kU8, DType::kI64}) {
        Case c = onnx_case("Gather", {{"axis", axis}});
        c.add(counted({4, 3, 5}, dtype));
        const Tensor indices = Tensor::from<int64_t>({2, 2}, Ints{2, -1, 0, -3});
        c.add(wide ? indices : indices.to(DType::kI32));
        expect_equal(c, "cpu:gather", fmt::format("axis {}", axis));
      }
}

TEST_P(Kernels, GatherRefusesPlacesBeyond) {
  for (const int64_t index : {int64_t{4}, int64_t{-5}, std::numeric_limits<int64_t>::min()}) {
    Case c = onnx_case("Gather", {});
    c.add(counted({4, 3}, DType::kF32));
    c.add(int_list({0, index}));
    EXPECT_THROW(run(c, false, 2, "cpu:gather"), Error);
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

}  // namespace
}  // namespace effdet::kernels
