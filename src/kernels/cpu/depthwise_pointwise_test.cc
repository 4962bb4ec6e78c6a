// Depthwise and pointwise layer in one, against the reference kernel.
#include "kernels/cpu/depthwise_test_util.h"

namespace effdet::kernels {
namespace {

/// flags: 0 a residual, 1 an NCHW output where there is none.
Case pointwise_case(const Row& row) {
  Case c("DepthwisePointwise", window_attributes(row));
  c.set("out_channels", row.out);
  c.set("depthwise_activation", inner_activation(row));
  c.add(map_of(row));
  add_depthwise_weights(c, row, row.channels);
  add_pointwise_weights(c, row.channels, row.out);
  if (row.flag(0)) {
    c.add(random_tensor(*infer(c)[0].shape, 6));
  } else if (row.flag(1)) {
    c.set("output_layout", std::string("nchw"));
  }
  return c;
}

TEST_P(Kernels, DepthwisePointwise) {
  for (Row row : window_rows()) {
    row.out = kChannels[(row.flags >> 8) % (row.channels > 100 ? 9 : 10)];
    check(pointwise_case(row), "cpu:depthwise_pointwise", row.text());
  }
}

TEST_P(Kernels, DepthwisePointwiseLargeMaps) {
  for (const Row& row : large_rows(33, 17, 110)) check(pointwise_case(row), "cpu:depthwise_pointwise", row.text());
}

/// Products by Strassen's scheme, in tiles that are cut by columns and in whole rows.
TEST_P(Kernels, DepthwisePointwiseLargeProducts) {
  if (on_gpu()) GTEST_SKIP() << "GPU kernels know no such scheme";
  for (const auto& [height, width, flags] : {std::tuple{21, 101, 1u}, {46, 45, 0u}}) {
    const Row row{160, 168, 1, height, width, 3, 1, {1, 1, 1, 1}, "swish", flags};
    check(pointwise_case(row), "cpu:depthwise_pointwise", row.text());
  }
}

}  // namespace
}  // namespace effdet::kernels
