// Parts of cases with a depthwise layer, for the tests of the kernels that have one.
#pragma once

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {

/// The attributes of a depthwise layer with the options of a row.
inline std::map<std::string, ir::Attribute> window_attributes(const Row& row) {
  return {{"kernel_shape", Ints{row.kernel, row.kernel}},
          {"strides", Ints{row.stride, row.stride}},
          {"pads", row.pads},
          {"activation", row.activation},
          {"layout", "nhwc"}};
}

/// The activation of a fused operator's first part: another than the row's own.
inline std::string inner_activation(const Row& row) { return kActivations[(row.flags >> 16) % 6].name; }

inline Tensor map_of(const Row& row) { return random_tensor({row.batch, row.height, row.width, row.channels}, 1); }

/// The channels' own windows and biases.
inline void add_depthwise_weights(Case& c, const Row& row, int64_t channels) {
  c.add(random_weights({row.kernel, row.kernel, channels}, row.kernel * row.kernel, 4));
  c.add(random_tensor({channels}, 5));
}

/// Packed weights and biases of a pointwise layer.
inline void add_pointwise_weights(Case& c, int64_t in, int64_t out) {
  c.add(ops::pack_conv_weights(random_weights({out, in, 1, 1}, in, 2)));
  c.add(panel_bias(out, 3));
}

/// Rows as large maps have them: cut into strips, tiles and tasks.
inline std::vector<Row> large_rows(int64_t channels, int64_t out, int64_t side) {
  std::vector<Row> rows;
  for (const int64_t kernel : {3, 5})
    for (const int64_t stride : {1, 2})
      for (const uint32_t flags : {0u, 1u, 2u}) {
        const int64_t before = (kernel - stride) / 2, after = kernel - stride - before;
        rows.push_back(
            {channels, out, 1, side, side + 1, kernel, stride, {before, before, after, after}, "swish", flags});
      }
  return rows;
}

}  // namespace effdet::kernels
