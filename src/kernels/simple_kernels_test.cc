// Kernels without convolution against the reference kernels.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "effdet/error.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

TEST_P(Kernels, Mix) {
  // Sides of the inputs beside the first, for an output of 5: whole factors, none, and smaller and larger ones.
  constexpr int64_t kSides[] = {3, 5, 1, 10, 9};
  for (const Row& row : channel_rows())
    for (size_t count = 1; count <= ops::kMaxMixInputs; ++count) {
      if (row.channels > 100 && count != 2) continue;
      Case c("Mix", {{"activation", row.activation}, {"layout", "nhwc"}, {"size", Ints{row.height, row.width}}});
      std::vector<float> weights;
      for (size_t i = 0; i < count; ++i) {
        const int64_t other = kSides[(row.flags >> (8 * i)) % 5];
        const Shape shape = i == 0 ? Shape{row.batch, row.height, row.width, row.channels}
                                   : Shape{row.batch, other, (other + row.width) / 2 + 1, row.channels};
        c.add(random_tensor(shape, static_cast<uint32_t>(i + 1)));
        weights.push_back(0.25f * static_cast<float>(i + 1));
      }
      c.set("weights", weights);
      check(c, "cpu:mix", fmt::format("{} maps, {}", count, row.text()));
      if (row.out != row.channels) break;  // all counts once for each channel count
    }
}

TEST_P(Kernels, MaxPool) {
  for (const Row& row : window_rows()) {
    Case c("MaxPool", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                       {"strides", Ints{row.stride, row.stride}},
                       {"pads", row.pads},
                       {"layout", "nhwc"}});
    c.node.attributes["zero_padding"] = int64_t{row.flag(16)};
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 4));
    check(c, "cpu:max_pool", row.text());
  }
}

TEST_P(Kernels, AveragePool) {
  for (const Row& row : window_rows()) {
    Case c("AveragePool", {{"kernel_shape", Ints{row.kernel, row.kernel}},
                           {"strides", Ints{row.stride, row.stride}},
                           {"pads", row.pads},
                           {"layout", "nhwc"}});
    c.node.attributes["count_include_pad"] = int64_t{row.flag(16)};
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 4));
    check(c, "cpu:average_pool", row.text());
  }
}

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

/// NaN, infinities, zeros of both signs, the largest and the smallest numbers.
Tensor special_tensor(const Shape& shape) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {NAN, kInf, -kInf, -0.0f, 0, 1, -1, 3, -3, 6, 1e-40f, 3e38f, -3e38f, -100, 100};
  Tensor tensor(DType::kF32, shape);
  size_t i = 0;
  for (float& x : tensor.mutable_data<float>()) x = kSpecial[(i += 1 + i / 15) % 15];
  return tensor;
}

/// Equal where the reference is NaN or infinite, and nowhere else either.
void expect_same_special(const Case& c, std::string_view implementation, const std::string& what) {
  SCOPED_TRACE(what);
  const Tensor want = run(c, true, 1)[0].to(DType::kF32), got = run(c, false, 1, implementation)[0].to(DType::kF32);
  for (int64_t i = 0; i < want.numel(); ++i) {
    const float a = want.data<float>()[i], b = got.data<float>()[i];
    EXPECT_TRUE(std::isnan(a) ? std::isnan(b) : a == b || std::abs(a - b) <= 1e-2f * std::abs(a) + 1e-6f)
        << i << ": " << a << ", " << b;
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

TEST_P(Kernels, MaxPoolOfSpecialValues) {
  for (const int64_t channels : {1, 16, 19}) {
    Case c("MaxPool", {{"kernel_shape", Ints{2, 2}},
                       {"strides", Ints{1, 1}},
                       {"pads", Ints{1, 1, 0, 0}},
                       {"zero_padding", int64_t{0}},
                       {"layout", "nhwc"}});
    c.add(special_tensor({1, 7, 5, channels}));
    expect_same_special(c, "cpu:max_pool", std::to_string(channels));
    if (const auto narrow = as_bf16(c)) expect_same_special(*narrow, "cpu:max_pool", std::to_string(channels));
  }
}

TEST_P(Kernels, Transpose) {
  for (const Row& row : window_rows())
    for (const Ints& order : {Ints{0, 2, 3, 1}, Ints{0, 3, 1, 2}}) {
      Case c("Transpose", {{"perm", order}});
      c.node.domain = "";
      c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
      check(c, "cpu:transpose", row.text());
    }
}

TEST_P(Kernels, Resize) {
  constexpr const char* kCoordinates[] = {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"};
  constexpr int64_t kSides[] = {1, 2, 5, 9, 16};
  for (const Row& row : channel_rows()) {
    Case c("Resize", {{"mode", row.flag(0) ? "linear" : "nearest"},
                      {"coordinate_transformation_mode", kCoordinates[row.flags >> 1 & 3]},
                      {"nearest_mode", row.flag(3) ? "floor" : "round_prefer_floor"}});
    c.node.domain = "";
    c.add(random_tensor({row.batch, row.height, row.width, row.channels}, 1));
    c.add(Tensor());
    if (row.flag(4)) {  // scales that the sizes round down
      c.add(Tensor::from<float>({4}, std::vector<float>{1.0f, 1.7f, 2.0f, 1.0f}));
    } else {
      c.add(Tensor());
      const Ints sizes{row.batch, kSides[(row.flags >> 8) % 5], kSides[(row.flags >> 16) % 5], row.channels};
      c.add(Tensor::from<int64_t>({4}, sizes));
    }
    check(c, "cpu:resize", row.text());
    if (row.channels > 100) break;
  }
}

TEST_P(Kernels, ConcatAndSplit) {
  for (const Row& row : window_rows())
    for (const int64_t axis : {-1, 1, 0}) {
      const Shape shape{row.batch, row.height, row.width, row.channels};
      Case joined("Concat", {{"axis", axis}});
      joined.node.domain = "";
      Ints parts;
      for (const int64_t part : {1, 4, 2}) {
        parts.push_back(part);
        Shape piece = shape;
        piece[axis < 0 ? 3 : static_cast<size_t>(axis)] = part;
        joined.add(random_tensor(piece, static_cast<uint32_t>(part)));
      }
      check(joined, "cpu:concat", row.text());
      Case apart("Split", {{"axis", axis}, {"split", parts}});
      apart.node.domain = "";
      apart.want(parts.size());
      apart.add(run(joined, /*reference_only=*/true, 1)[0]);
      check(apart, "cpu:split", row.text());
    }
}

TEST(Isa, UnknownNameIsAUsageError) {
  ::setenv("EFFDET_ISA", "mmx", 1);
  EXPECT_THROW(cpu::micro_kernels(), Error);
  ::unsetenv("EFFDET_ISA");
}

}  // namespace
}  // namespace effdet::kernels
