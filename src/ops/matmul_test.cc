// Matrix products. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(MatMul, VectorsMatricesAndBatches) {
  EXPECT_EQ(values(run_node("MatMul", {floats({1, 2}, {1, 2}), floats({2, 1}, {3, 4})})[0]), Floats{11});
  EXPECT_EQ(run_node("MatMul", {counting({3}), counting({3})})[0].shape(), Shape{});
  EXPECT_EQ(run_node("MatMul", {counting({5, 1, 2, 3}), counting({4, 3, 2})})[0].shape(), (Shape{5, 4, 2, 2}));
  EXPECT_EQ(values(run_node("Gemm", {floats({2, 1}, {1, 2}), floats({2, 1}, {3, 4}), floats({1}, {10})},
                            {{"transA", int64_t{1}}, {"alpha", 2.0f}})[0]),
            Floats{32});
}

}  // namespace
}  // namespace effdet::ops
