// Layer normalization against the reference kernel.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, LayerNormalization) {
  for (const Row& row : channel_rows()) {
    if (row.channels * row.out > 5'000) continue;
    const Shape shape{row.batch, row.height, row.out, row.channels};
    const int64_t axis = row.flag(0) ? 2 : -1;
    const Shape normalized = axis == 2 ? Shape{row.out, row.channels} : Shape{row.channels};
    Case c = onnx_case("LayerNormalization", {{"axis", axis}, {"epsilon", 1e-3f}});
    c.opset = 17;
    c.terms = 20'000;
    c.add(random_tensor(shape, 1));
    c.add(random_tensor(normalized, 2));
    if (row.flag(1)) c.add(random_tensor(normalized, 3));
    check_float32(c, "cpu:layer_norm", fmt::format("{} from axis {}", shape_text(shape), axis));
    if (row.flag(1)) continue;  // has no bias
    c.node.op = "RMSNormalization";
    c.opset = 23;
    check_float32(c, "cpu:layer_norm", fmt::format("{} from axis {}, without a mean", shape_text(shape), axis));
  }
}

}  // namespace
}  // namespace effdet::kernels
