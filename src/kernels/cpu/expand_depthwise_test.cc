// Expansion and depthwise layer in one, against the reference kernel.
#include "kernels/cpu/depthwise_test_util.h"

namespace effdet::kernels {
namespace {

Case expand_case(const Row& row) {
  Case c("ExpandDepthwise", window_attributes(row));
  c.set("out_channels", row.out);
  c.set("expand_activation", inner_activation(row));
  c.add(map_of(row));
  add_pointwise_weights(c, row.channels, row.out);
  add_depthwise_weights(c, row, row.out);
  if (row.flag(0)) c.want(2);
  return c;
}

TEST_P(Kernels, ExpandDepthwise) {
  for (Row row : window_rows()) {
    row.out = row.channels;
    row.channels = kChannels[row.flags >> 8 & 7];  // without 810
    check(expand_case(row), "cpu:expand_depthwise", row.text());
  }
}

TEST_P(Kernels, ExpandDepthwiseLargeMaps) {
  for (const Row& row : large_rows(7, 48, 100)) check(expand_case(row), "cpu:expand_depthwise", row.text());
}

/// Deep sums of the expansion, in bfloat16: cut into slices, and too many values to widen rows of them at a time.
TEST_P(Kernels, ExpandDepthwiseSlices) {
  for (const int64_t channels : {1090, 2501})
    for (Row row : window_rows()) {
      if (row.channels != 17 || row.stride != 1) continue;
      row.channels = channels;
      check_bf16(expand_case(row), "cpu:expand_depthwise", row.text());
    }
}

}  // namespace
}  // namespace effdet::kernels
