// Transposed convolution. Values are worked out by hand.
#include "ops/test_util.h"

namespace effdet::ops {
namespace {

TEST(Operators, TransposedConvolution) {
  const Tensor x = floats({1, 1, 2}, {1, 2}), w = floats({1, 1, 2}, {1, 10});
  expect_values({
      {"ConvTranspose", {x, w}, {1, 12, 20}},
      {"ConvTranspose", {x, w, list({5})}, {6, 15, 7, 25}, {{"strides", List{2}}}},
      {"ConvTranspose", {x, w}, {12}, {{"pads", List{1, 1}}}},
      {"ConvTranspose", {x, w}, {1, 10, 2, 20, 0}, {{"strides", List{2}}, {"output_padding", List{1}}}},
  });
}

}  // namespace
}  // namespace effdet::ops
