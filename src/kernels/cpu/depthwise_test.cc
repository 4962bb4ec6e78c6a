// Depthwise convolution against the reference kernel.
#include "kernels/cpu/depthwise_test_util.h"

namespace effdet::kernels {
namespace {

Case depthwise_case(const Row& row) {
  Case c("DepthwiseConv", window_attributes(row));
  c.add(map_of(row));
  add_depthwise_weights(c, row, row.channels);
  if (row.flag(0)) c.want(2);  // also the mean
  return c;
}

TEST_P(Kernels, Depthwise) {
  for (const Row& row : window_rows()) check(depthwise_case(row), "cpu:depthwise", row.text());
}

TEST_P(Kernels, DepthwiseOtherWindows) {
  for (Row row : window_rows())
    for (const auto& [kernel, stride] : {std::pair{7, 1}, {7, 3}, {2, 2}, {1, 1}, {4, 3}}) {
      if (row.channels > 20 || row.kernel == 5) continue;
      row.kernel = kernel;
      row.stride = stride;
      row.pads = {kernel / 2, kernel / 2, kernel - 1, kernel / 2};
      check(depthwise_case(row), "cpu:depthwise", row.text());
    }
}

TEST_P(Kernels, DepthwiseLargeMaps) {
  for (const Row& row : large_rows(17, 17, 41)) check(depthwise_case(row), "cpu:depthwise", row.text());
}

}  // namespace
}  // namespace effdet::kernels
