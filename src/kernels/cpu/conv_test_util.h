// Cases of dense convolutions, for the tests of the kernels that compute them.
#pragma once

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {

/// A convolution with the options of a row.
inline Case conv_case(const Row& row, bool nchw_input = false) {
  Case c("Conv", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                  {"strides", Ints{row.stride, row.stride}},
                  {"pads", row.pads},
                  {"out_channels", row.out},
                  {"activation", row.activation},
                  {"layout", nchw_input ? "nchw" : "nhwc"}});
  const ops::Dims dims{row.batch, row.channels, row.height, row.width};
  c.add(random_tensor(dims.shape(nchw_input ? ops::Layout::kPlain : ops::Layout::kNhwc), 1));
  c.terms = row.channels * row.kernel * row.kernel;
  c.add(ops::pack_conv_weights(random_weights({row.out, row.channels, row.kernel, row.kernel}, c.terms, 2)));
  c.add(panel_bias(row.out, 3));
  return c;
}

/// Residual, and for 1x1 kernels a gate, or an NCHW output, as the row's flags say.
inline void add_extras(Case& c, const Row& row) {
  const bool residual = row.flag(0), gate = row.flag(1) && row.kernel == 1;
  if (!residual && row.flag(2)) c.set("output_layout", std::string("nchw"));
  if (residual || gate) c.add(residual ? random_tensor(*infer(c)[0].shape, 7) : Tensor());
  if (gate) c.add(random_tensor({row.batch, row.channels}, 8));
}

}  // namespace effdet::kernels
