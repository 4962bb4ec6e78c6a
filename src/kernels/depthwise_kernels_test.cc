// Depthwise convolution, alone and fused with its neighbours, against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

std::map<std::string, ir::Attribute> window_attributes(const Row& row) {
  return {{"kernel_shape", Ints{row.kernel, row.kernel}},
          {"strides", Ints{row.stride, row.stride}},
          {"pads", row.pads},
          {"activation", row.activation},
          {"layout", "nhwc"}};
}

/// The activation of a fused operator's first part: another than the row's own.
std::string inner_activation(const Row& row) { return kActivations[(row.flags >> 16) % 6].name; }

/// A map, the channels' own windows and biases.
void add_depthwise_weights(Case& c, const Row& row, int64_t channels) {
  c.add(random_weights({row.kernel, row.kernel, channels}, row.kernel * row.kernel, 4));
  c.add(random_tensor({channels}, 5));
}

void add_pointwise_weights(Case& c, int64_t in, int64_t out) {
  c.add(ops::pack_conv_weights(random_weights({out, in, 1, 1}, in, 2)));
  c.add(panel_bias(out, 3));
}

Tensor map_of(const Row& row) { return random_tensor({row.batch, row.height, row.width, row.channels}, 1); }

Case depthwise_case(const Row& row) {
  Case c("DepthwiseConv", window_attributes(row));
  c.add(map_of(row));
  add_depthwise_weights(c, row, row.channels);
  if (row.flag(0)) c.want(2);  // also the mean
  return c;
}

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

/// Rows as large maps have them: cut into strips, tiles and tasks.
std::vector<Row> large_rows(int64_t channels, int64_t out, int64_t side) {
  std::vector<Row> rows;
  for (const int64_t kernel : {3, 5})
    for (const int64_t stride : {1, 2})
      for (const uint32_t flags : {0u, 1u, 2u}) {
        const int64_t before = (kernel - stride) / 2, behind = kernel - stride - before;
        rows.push_back(
            {channels, out, 1, side, side + 1, kernel, stride, {before, before, behind, behind}, "swish", flags});
      }
  return rows;
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
  for (const auto& [height, width, flags] : {std::tuple{21, 101, 1u}, {46, 45, 0u}}) {
    const Row row{160, 168, 1, height, width, 3, 1, {1, 1, 1, 1}, "swish", flags};
    check(pointwise_case(row), "cpu:depthwise_pointwise", row.text());
  }
}

}  // namespace
}  // namespace effdet::kernels
