// Every fast kernel against the reference kernel, over rows of options and awkward shapes, on each instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "effdet/error.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/kernel.h"
#include "ops/aipp.h"
#include "ops/fused.h"
#include "ops/op.h"

namespace effdet::kernels {
namespace {

Tensor random_tensor(const Shape& shape, uint32_t seed) {
  Tensor tensor(DType::kF32, shape);
  std::mt19937 random(seed);
  for (float& value : tensor.mutable_data<float>()) value = static_cast<float>(random() % 2001) / 500.0f - 2.0f;
  return tensor;
}

/// The same, scaled so that a sum over `terms` products with others stays near 1, where activations are not saturated.
Tensor random_weights(const Shape& shape, int64_t terms, uint32_t seed) {
  Tensor tensor = random_tensor(shape, seed);
  for (float& value : tensor.mutable_data<float>()) value /= std::sqrt(static_cast<float>(terms));
  return tensor;
}

/// A node with its inputs (empty: absent) and how many outputs are wanted.
struct Case {
  ir::Node node;
  std::vector<Tensor> inputs;
};

std::vector<ops::Inferred> infer(const Case& c) {
  std::vector<ops::InputInfo> infos;
  for (const Tensor& input : c.inputs)
    infos.push_back({!input.empty(), input.dtype(), input.empty() ? std::optional<Shape>() : input.shape(), nullptr});
  return ops::infer_node(c.node, 11, infos);
}

std::vector<Tensor> run(const Case& c, bool reference_only, int threads,
                        std::string_view expected_implementation = "") {
  std::vector<ValueInfo> inputs, outputs;
  std::vector<const std::byte*> sources;
  for (const Tensor& input : c.inputs) {
    inputs.push_back({input.dtype(), input.shape(), nullptr, !input.empty()});
    sources.push_back(input.empty() ? nullptr : input.bytes().data());
  }
  std::vector<Tensor> results;
  std::vector<std::byte*> targets;
  for (const ops::Inferred& inferred : infer(c)) {
    if (results.size() == c.node.outputs.size()) break;
    outputs.push_back({inferred.dtype, *inferred.shape});
    results.emplace_back(inferred.dtype, *inferred.shape);
    std::ranges::fill(results.back().mutable_data<float>(), NAN);  // what a kernel forgets to write shows
    targets.push_back(const_cast<std::byte*>(results.back().bytes().data()));
  }
  const Choice choice = choose({c.node, 11, inputs, outputs}, reference_only);
  if (!expected_implementation.empty()) {
    EXPECT_EQ(choice.implementation, expected_implementation);
  }
  ThreadPool pool(threads);
  Tensor scratch(DType::kF32, {static_cast<int64_t>(choice.kernel->scratch_bytes(pool.size()) / 4 + 16)});
  choice.kernel->run({sources, targets, const_cast<std::byte*>(scratch.bytes().data()), pool});
  return results;
}

/// The largest difference relative to the largest expected magnitude.
double relative_error(const Tensor& got, const Tensor& want) {
  double largest = 1e-6, difference = 0;
  for (size_t i = 0; i < static_cast<size_t>(want.numel()); ++i) {
    const double g = got.data<float>()[i], w = want.data<float>()[i];
    if (!std::isfinite(g)) return INFINITY;
    largest = std::max(largest, std::abs(w));
    difference = std::max(difference, std::abs(g - w));
  }
  return difference / largest;
}

class Kernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (cpu::micro_kernels_for(GetParam()) == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
    ::setenv("EFFDET_ISA", GetParam(), 1);
  }
  void TearDown() override { ::unsetenv("EFFDET_ISA"); }

  /// Against the reference, and the same bits at 1 and 3 threads.
  void check(const Case& c, std::string_view implementation, const std::string& what) {
    const auto want = run(c, true, 1);
    const auto got = run(c, false, 1, implementation), threaded = run(c, false, 3);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_LT(relative_error(got[i], want[i]), 2e-6) << what << ", output " << i;
      EXPECT_TRUE(std::ranges::equal(got[i].bytes(), threaded[i].bytes())) << what << ": bits differ between threads";
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Isa, Kernels, testing::Values("avx512", "avx2", "sse2"));

using Ints = std::vector<int64_t>;

Case conv_case(int64_t batch, int64_t in, int64_t out, int64_t side, int64_t kernel, int64_t stride, Ints pads,
               const std::string& activation) {
  ir::Node node{"Conv", std::string(ir::kFusedDomain), "conv", {0, 1, 2}, {3}, {}};
  node.attributes = {{"kernel_shape", Ints{kernel, kernel}},
                     {"strides", Ints{stride, stride}},
                     {"pads", std::move(pads)},
                     {"out_channels", out},
                     {"activation", activation},
                     {"layout", "nhwc"}};
  Tensor bias = random_tensor({(out + 15) / 16 * 16}, 3);
  return {node,
          {random_tensor({batch, side, side + 1, in}, 1),
           ops::pack_conv_weights(random_weights({out, in, kernel, kernel}, in * kernel * kernel, 2)), bias}};
}

TEST_P(Kernels, PointwiseConv) {
  for (int64_t in : {1, 3, 16, 33, 520, 1100})
    for (int64_t out : {1, 7, 15, 16, 17, 63, 65, 96, 810}) {
      if (in > 500 && out > 100) continue;
      const auto activation = ops::kActivations[static_cast<size_t>((in + out) % 6)];
      const Case c = conv_case(1 + in % 2, in, out, 1 + (in + out) % 9, 1, 1, {0, 0, 0, 0}, std::string(activation));
      check(c, "cpu:gemm", fmt::format("{} -> {} {}", in, out, activation));
    }
}

TEST_P(Kernels, DenseConvWithPaddingAndStride) {
  for (int64_t kernel : {2, 3, 5})
    for (int64_t stride : {1, 2})
      for (int64_t in : {1, 3, 17})
        check(conv_case(2, in, 20, 8, kernel, stride, {kernel - 1, 0, kernel / 2, kernel - 1}, "swish"), "cpu:gemm",
              fmt::format("kernel {} stride {} in {}", kernel, stride, in));
}

TEST_P(Kernels, ConvLayouts) {
  Case from_nchw = conv_case(2, 3, 32, 9, 3, 2, {0, 0, 1, 1}, "swish");
  from_nchw.inputs[0] = random_tensor({2, 3, 9, 10}, 5);
  from_nchw.node.attributes["layout"] = "nchw";
  from_nchw.node.attributes["output_layout"] = "nhwc";
  check(from_nchw, "cpu:gemm", "from nchw");
  for (int64_t in : {5, 40, 600})
    for (int64_t side : {1, 7, 15, 31})  // rows of 2, 56, 240 and 992 pixels: the last two are whole vectors
      for (int64_t out : {1, 45, 300}) {
        if (in > 500 && side > 7 && out > 45) continue;
        Case to_nchw = conv_case(2, in, out, side, 1, 1, {0, 0, 0, 0}, "sigmoid");
        to_nchw.node.attributes["output_layout"] = "nchw";
        check(to_nchw, "cpu:gemm", fmt::format("to nchw, {} -> {}, side {}", in, out, side));
      }
  Case windows_to_nchw = conv_case(2, 5, 20, 15, 3, 1, {1, 1, 1, 1}, "relu");
  windows_to_nchw.node.attributes["output_layout"] = "nchw";
  check(windows_to_nchw, "cpu:gemm", "windows to nchw");
}

TEST_P(Kernels, ConvWithResidualAndGate) {
  for (int64_t out : {8, 24, 40}) {
    Case c = conv_case(2, 48, out, 6, 1, 1, {0, 0, 0, 0}, "relu6");
    c.node.inputs = {0, 1, 2, 3, 4};
    c.node.outputs = {5};
    c.inputs.push_back(random_tensor({2, 6, 7, out}, 7));
    c.inputs.push_back(random_tensor({2, 48}, 8));
    check(c, "cpu:gemm", "residual and gate");
    c.inputs[3] = Tensor();
    c.node.inputs[3] = ir::kNoValue;
    check(c, "cpu:gemm", "gate alone");
  }
}

TEST_P(Kernels, DepthwiseConv) {
  for (int64_t kernel : {3, 5, 7})
    for (int64_t stride : {1, 2, 3})
      for (int64_t channels : {3, 15, 16, 17, 40, 65})
        for (int64_t side : {1, 2, 9, 41}) {
          if (side > 9 && channels > 20) continue;
          const bool same = (side + channels) % 2 == 0;
          const Ints pads = same ? Ints{(kernel - 1) / 2, (kernel - 2) / 2, kernel / 2, kernel / 2}
                                 : Ints{kernel / 2, kernel / 2, kernel / 2, kernel / 2};
          ir::Node node{"DepthwiseConv", std::string(ir::kFusedDomain), "dw", {0, 1, 2}, {3, 4}, {}};
          node.attributes = {{"kernel_shape", Ints{kernel, kernel}},
                             {"strides", Ints{stride, stride}},
                             {"pads", pads},
                             {"activation", "swish"},
                             {"layout", "nhwc"}};
          const Case c{node,
                       {random_tensor({2, side, side + 1, channels}, 1), random_tensor({kernel, kernel, channels}, 2),
                        random_tensor({channels}, 3)}};
          if (side + pads[0] + pads[2] < kernel || side + 1 + pads[1] + pads[3] < kernel) continue;
          check(c, "cpu:depthwise",
                fmt::format("kernel {} stride {} channels {} side {}", kernel, stride, channels, side));
        }
}

TEST_P(Kernels, ExpandDepthwise) {
  for (int64_t kernel : {3, 5})
    for (int64_t stride : {1, 2})
      for (int64_t channels : {5, 48, 65, 112})
        for (int64_t side : {2, 9, 100}) {
          if (side == 100 && channels > 50) continue;
          ir::Node node{"ExpandDepthwise", std::string(ir::kFusedDomain), "fused", {0, 1, 2, 3, 4}, {5, 6}, {}};
          const int64_t before = (kernel - stride) / 2, behind = kernel - stride - before;
          node.attributes = {{"kernel_shape", Ints{kernel, kernel}},
                             {"strides", Ints{stride, stride}},
                             {"pads", Ints{before, before, behind, behind}},
                             {"out_channels", channels},
                             {"expand_activation", "swish"},
                             {"activation", "relu6"},
                             {"layout", "nhwc"}};
          const Case c{
              node,
              {random_tensor({2, side, side, 7}, 1), ops::pack_conv_weights(random_weights({channels, 7, 1, 1}, 7, 2)),
               random_tensor({(channels + 15) / 16 * 16}, 3), random_tensor({kernel, kernel, channels}, 4),
               random_tensor({channels}, 5)}};
          check(c, "cpu:expand_depthwise",
                fmt::format("kernel {} stride {} channels {} side {}", kernel, stride, channels, side));
        }
}

TEST_P(Kernels, DepthwisePointwise) {
  for (int64_t kernel : {3, 5})
    for (int64_t stride : {1, 2})
      for (int64_t channels : {5, 33, 64})
        for (int64_t out : {1, 17, 90})
          for (int64_t side : {2, 9, 110}) {  // the last is cut into tiles of columns
            if (side == 110 && (channels > 40 || out > 20)) continue;
            ir::Node node{"DepthwisePointwise", std::string(ir::kFusedDomain), "fused", {0, 1, 2, 3, 4}, {6}, {}};
            const int64_t before = (kernel - stride) / 2, behind = kernel - stride - before;
            node.attributes = {{"kernel_shape", Ints{kernel, kernel}},
                               {"strides", Ints{stride, stride}},
                               {"pads", Ints{before, before, behind, behind}},
                               {"out_channels", out},
                               {"depthwise_activation", "relu6"},
                               {"activation", "swish"},
                               {"layout", "nhwc"}};
            Case c{node,
                   {random_tensor({2, side, side, channels}, 1),
                    random_weights({kernel, kernel, channels}, kernel * kernel, 4), random_tensor({channels}, 5),
                    ops::pack_conv_weights(random_weights({out, channels, 1, 1}, channels, 2)),
                    random_tensor({(out + 15) / 16 * 16}, 3)}};
            const std::string what =
                fmt::format("kernel {} stride {} {} -> {} side {}", kernel, stride, channels, out, side);
            check(c, "cpu:depthwise_pointwise", what);
            c.node.attributes["output_layout"] = "nchw";
            check(c, "cpu:depthwise_pointwise", what + " to nchw");
            c.node.attributes.erase("output_layout");
            c.node.inputs.push_back(5);
            c.inputs.push_back(random_tensor(*infer(c)[0].shape, 6));
            check(c, "cpu:depthwise_pointwise", what + " with residual");
          }
}

TEST_P(Kernels, Mix) {
  for (int64_t channels : {1, 17, 64})
    for (size_t count : {1u, 2u, 3u, 4u}) {
      ir::Node node{"Mix", std::string(ir::kFusedDomain), "mix", {}, {9}, {}};
      Case c{node, {}};
      std::vector<float> weights;
      for (size_t i = 0; i < count; ++i) {
        const int64_t side = i == 1 ? 3 : 5;  // 3 -> 5 is no whole factor
        c.inputs.push_back(random_tensor({2, side, side, channels}, static_cast<uint32_t>(i + 1)));
        c.node.inputs.push_back(static_cast<ir::ValueId>(i));
        weights.push_back(0.25f * static_cast<float>(i + 1));
      }
      c.node.attributes = {{"weights", weights}, {"size", Ints{5, 5}}, {"activation", "swish"}, {"layout", "nhwc"}};
      check(c, "cpu:mix", fmt::format("{} maps of {} channels", count, channels));
    }
}

TEST_P(Kernels, MaxPool) {
  for (int64_t channels : {1, 17, 64})
    for (int64_t side : {1, 4, 9}) {
      ir::Node node{"MaxPool", std::string(ir::kFusedDomain), "pool", {0}, {1}, {}};
      node.attributes = {
          {"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"layout", "nhwc"}};
      check({node, {random_tensor({2, side, side + 1, channels}, 4)}}, "cpu:max_pool",
            fmt::format("{} {}", channels, side));
    }
}

TEST_P(Kernels, SqueezeExcite) {
  for (int64_t channels : {1, 17, 96})
    for (int64_t reduced : {1, 4, 20}) {
      ir::Node node{"SqueezeExcite", std::string(ir::kFusedDomain), "se", {0, 1, 2, 3, 4}, {5}, {}};
      node.attributes = {{"activation", "swish"}, {"gate_activation", "sigmoid"}};
      check({node,
             {random_tensor({3, channels}, 1), random_weights({channels, reduced}, channels, 2),
              random_tensor({reduced}, 3), random_weights({reduced, channels}, reduced, 4),
              random_tensor({channels}, 5)}},
            "cpu:squeeze_excite", fmt::format("{} {}", channels, reduced));
    }
}

TEST_P(Kernels, Activations) {
  for (const std::string_view activation : ops::kActivations) {
    ir::Node node{
        "Activation", std::string(ir::kFusedDomain), "act", {0}, {1}, {{"activation", std::string(activation)}}};
    Tensor x(DType::kF32, {2, 5, 7, 11});
    float value = -120;  // far into both tails
    for (float& element : x.mutable_data<float>()) element = value += 0.3f;
    check({node, {x}}, "cpu:activation", std::string(activation));
  }
}

TEST_P(Kernels, Transpose) {
  for (const Ints& order : {Ints{0, 2, 3, 1}, Ints{0, 3, 1, 2}}) {
    ir::Node node{"Transpose", "", "transpose", {0}, {1}, {{"perm", order}}};
    check({node, {random_tensor({2, 19, 5, 33}, 1)}}, "cpu:transpose", "");
  }
}

TEST_P(Kernels, Aipp) {
  using enum ops::AippFormat;
  for (const ops::AippFormat format : {kRgb888, kXrgb8888, kYuv420sp, kYuv400})
    for (const int64_t width : {2, 6, 16, 34, 130})
      for (const bool plain : {true, false}) {
        ops::AippSpec spec;
        spec.format = format;
        spec.source_height = 20, spec.source_width = width + 4;
        spec.crop_top = plain ? 0 : 2, spec.crop_left = plain ? 0 : 4;
        spec.crop_height = 18, spec.crop_width = width;
        spec.swap_rbuv = spec.swap_ax = !plain;
        spec.mean = {1, 0, 255}, spec.min = {123.675f, 116.28f, 103.53f}, spec.scale = {0.0171f, 0.0175f, -2};
        if (!plain)
          spec.pad_top = 1, spec.pad_left = 2, spec.pad_bottom = 3, spec.pad_right = 4, spec.padding_value = 7;
        if (!plain && format != kYuv400) {
          spec.convert = true;
          spec.matrix = {256, -7, 359, 256, -88, -183, 32767, 32767, -32767};
          spec.input_bias = {16, 128, 255}, spec.output_bias = {0, 3, 128};
        }
        Tensor image(DType::kU8, spec.input_shape(2));
        std::mt19937 random(static_cast<uint32_t>(width));
        for (uint8_t& value : image.mutable_data<uint8_t>()) value = static_cast<uint8_t>(random());
        const Case c{{"Aipp", std::string(ir::kFusedDomain), "aipp", {0}, {1}, ops::aipp_attributes(spec)}, {image}};
        const std::string what = fmt::format("format {}, width {}, plain {}", static_cast<int>(format), width, plain);
        check(c, "cpu:aipp", what);
        // Integers, and one rounding each for a subtraction and a product: the very bits of the reference.
        EXPECT_TRUE(std::ranges::equal(run(c, true, 1)[0].bytes(), run(c, false, 1)[0].bytes())) << what;
      }
}

TEST(Choice, RefusalsSayWhy) {
  Case c = conv_case(1, 8, 8, 4, 1, 1, {0, 0, 0, 0}, "none");
  c.node.attributes["output_layout"] = "nchw";
  c.node.inputs = {0, 1, 2, 3};
  c.inputs.push_back(random_tensor({1, 8, 4, 5}, 7));
  std::vector<ValueInfo> inputs;
  for (const Tensor& input : c.inputs) inputs.push_back({input.dtype(), input.shape()});
  const std::vector<ValueInfo> outputs{{DType::kF32, {1, 8, 4, 5}}};
  const Choice choice = choose({c.node, 11, inputs, outputs});
  EXPECT_EQ(choice.implementation, "reference");
  EXPECT_EQ(choice.refusals, std::vector<std::string>{"cpu:gemm: a residual needs an NHWC output"});
}

TEST(Isa, UnknownNameIsAUsageError) {
  ::setenv("EFFDET_ISA", "mmx", 1);
  EXPECT_THROW(cpu::micro_kernels(), Error);
  ::unsetenv("EFFDET_ISA");
}

}  // namespace
}  // namespace effdet::kernels
