// Elementwise steps that follow a layer, inside of its kernel.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

/// What stands after activations here: of one register and of several.
constexpr const char* kSteps[] = {"; mul x0 0.75; add t0 0.125", "; leakyrelu x0 0.3",
                                  "; mul x0 0.7; erf t0; add t1 1; mul x0 t2; mul t3 0.5"};

/// Limits cut off large sums, whose rounding stays: a tolerance as for longer ones.
constexpr int64_t kSteppedTerms = 10'000;

TEST_P(Kernels, StepsBehindConvolutions) {
  for (const Row& row : window_rows()) {
    const int64_t kernel = row.flag(0) ? 1 : row.kernel, out = row.flag(1) ? 24 : 65;
    Case c("Conv", {{"out_channels", out}, {"layout", "nhwc"}, {"kernel_shape", Ints{kernel, kernel}}});
    c.set("activation", row.activation + kSteps[row.flags % std::size(kSteps)]);
    if (kernel > 1) c.set("pads", Ints{kernel / 2, kernel / 2, kernel / 2, kernel / 2});
    c.terms = kSteppedTerms;
    c.add(random_tensor({row.batch, row.height + 8, row.width + 8, row.channels}, 1));
    c.add(
        ops::pack_conv_weights(random_weights({out, row.channels, kernel, kernel}, row.channels * kernel * kernel, 2)));
    c.add(panel_bias(out, 3));
    check(c, "", row.text());
    if (row.channels > 60) break;
  }
}

TEST_P(Kernels, StepsBehindDepthwiseLayers) {
  for (const Row& row : window_rows())
    for (const bool wants_mean : {false, true}) {
      Case c("DepthwiseConv", {{"layout", "nhwc"},
                               {"kernel_shape", Ints{row.kernel, row.kernel}},
                               {"strides", Ints{row.stride, row.stride}},
                               {"pads", row.pads}});
      c.set("activation", row.activation + kSteps[row.flags % std::size(kSteps)]);
      c.terms = row.kernel * row.kernel;
      c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
      c.add(random_weights({row.kernel, row.kernel, row.channels}, c.terms, 2));
      c.add(random_tensor({row.channels}, 3));
      c.want(wants_mean ? 2 : 1);
      check(c, "cpu:depthwise", row.text());
    }
}

TEST_P(Kernels, StepsBehindBothPartsOfDepthwisePointwise) {
  for (const Row& row : window_rows()) {
    const int64_t out = row.flag(1) ? 24 : 65;
    Case c("DepthwisePointwise", {{"layout", "nhwc"},
                                  {"out_channels", out},
                                  {"kernel_shape", Ints{row.kernel, row.kernel}},
                                  {"strides", Ints{row.stride, row.stride}},
                                  {"pads", row.pads}});
    c.set("depthwise_activation", row.activation + kSteps[row.flags % std::size(kSteps)]);
    c.set("activation", "none" + std::string(kSteps[row.flags / 3 % std::size(kSteps)]));
    c.terms = kSteppedTerms;
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
    c.add(random_weights({row.kernel, row.kernel, row.channels}, row.kernel * row.kernel, 2));
    c.add(random_tensor({row.channels}, 3));
    c.add(ops::pack_conv_weights(random_weights({out, row.channels, 1, 1}, row.channels, 4)));
    c.add(panel_bias(out, 5));
    check(c, "cpu:depthwise_pointwise", row.text());
    if (row.channels > 60) break;
  }
}

TEST_P(Kernels, StepsBehindGates) {
  for (const int64_t channels : kChannels) {
    Case c("SqueezeExcite", {{"activation", "relu"}, {"gate_activation", "none; hardsigmoid x0 0.2 0.5"}});
    c.add(random_tensor({2, channels}, 1));
    c.add(random_weights({channels, 7}, channels, 2));
    c.add(random_tensor({7}, 3));
    c.add(random_weights({7, channels}, 7, 4));
    c.add(random_tensor({channels}, 5));
    check(c, "cpu:squeeze_excite", std::to_string(channels));
  }
}

}  // namespace
}  // namespace effdet::kernels
