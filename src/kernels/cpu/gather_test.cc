// Rows chosen by places, against the reference kernel.
#include <limits>

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

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

}  // namespace
}  // namespace effdet::kernels
