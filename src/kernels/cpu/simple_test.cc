// Squeeze-and-excite and activations against the reference kernels.
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, SqueezeExcite) {
  for (const Row& row : channel_rows()) {
    const std::string gate = kActivations[(row.flags >> 16) % kFusedActivations].name;
    Case c("SqueezeExcite", {{"activation", row.activation}, {"gate_activation", gate}});
    c.add(random_tensor({row.batch, row.channels}, 1));
    c.add(random_weights({row.channels, row.out}, row.channels, 2));
    c.add(random_tensor({row.out}, 3));
    c.add(random_weights({row.out, row.channels}, row.out, 4));
    c.add(random_tensor({row.channels}, 5));
    check(c, "cpu:squeeze_excite", row.text());
  }
}

TEST_P(Kernels, Activations) {
  for (const ActivationRow& row : std::span(kActivations, kFusedActivations))
    for (const int64_t count : {1, 3, 7, 15, 16, 17, 31, 33, 63, 65, 810}) {
      Case c("Activation", {{"activation", std::string(row.name)}});
      Tensor x(DType::kF32, {1, 2, count, 1});
      float value = -120;  // far into both tails
      for (float& element : x.mutable_data<float>()) element = value += 240.0f / static_cast<float>(2 * count);
      c.add(x);
      check(c, "cpu:activation", fmt::format("{} of {}", row.name, 2 * count));
    }
}

TEST_P(Kernels, ActivationsOfSpecialValues) {
  for (const ActivationRow& row : std::span(kActivations, kFusedActivations)) {
    Case c("Activation", {{"activation", std::string(row.name)}});
    c.add(special_tensor({1, 37, 3, 1}));
    expect_same_special(c, "cpu:activation", row.name);
    if (const auto narrow = as_bf16(c)) expect_same_special(*narrow, "cpu:activation", row.name);
  }
}

}  // namespace
}  // namespace effdet::kernels
