// What the tests of kernels share: cases, and the comparison with the reference kernel on each instruction set.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sanitizer.h"
#include "kernels/cpu/device.h"
#include "kernels/kernel.h"
#include "ops/fused/layout.h"
#include "ops/fused/mix.h"
#include "ops/fused/packing.h"
#include "ops/op.h"

namespace effdet::kernels {

using Ints = std::vector<int64_t>;

/// Values in [-2, 2], always the same for a seed.
Tensor random_tensor(const Shape& shape, uint32_t seed);
/// The same, scaled so that a sum over `terms` products with others stays near 1, where activations are not saturated.
Tensor random_weights(const Shape& shape, int64_t terms, uint32_t seed);
/// As many values as whole panels have.
Tensor panel_bias(int64_t channels, uint32_t seed);

/// A node with its inputs (empty: absent); as many outputs are wanted as the node has.
struct Case {
  ir::Node node;
  std::vector<Tensor> inputs;
  int64_t terms = 1;  ///< of the longest sum: its rounding decides how far right results may be apart
  int64_t opset = 11;

  /// An operator of the fused domain.
  Case(std::string op, std::map<std::string, ir::Attribute> attributes);
  void set(const std::string& attribute, ir::Attribute value);
  /// Appends an input; an empty tensor: absent.
  void add(Tensor input);
  /// Gives the node so many outputs.
  void want(size_t outputs);
};

std::vector<ops::Inferred> infer(const Case& c);

/// The case with maps and packed weights in a type of 16 bits, as the compiler makes them; nothing where it makes none.
std::optional<Case> as_narrow(const Case& c, DType dtype);
inline std::optional<Case> as_bf16(const Case& c) { return as_narrow(c, DType::kBF16); }

/// Runs a case on the device under test, the CPU or a GPU's twin, or with reference_only on its reference kernel;
/// expects the implementation, where one is named. A GPU's has another name.
std::vector<Tensor> run(const Case& c, bool reference_only, int threads, std::string_view implementation = "");

/// Channel counts and sides at which vectors, panels and register tiles end early, or only just do not.
inline constexpr int64_t kChannels[] = {1, 3, 7, 15, 16, 17, 63, 64, 65, 810};

/// With sanitizers everything takes twenty times as long: one turn of the option rows there.
inline constexpr int kTurns = kSanitized ? 1 : 3;

/// One row of options. Each member but the channels takes turns over its values, so that few rows cover every pair of
/// most of them.
struct Row {
  int64_t channels = 1, out = 1;   ///< input and output channels, of kChannels
  int64_t batch = 1;               ///< 1 to 3
  int64_t height = 1, width = 1;   ///< 1 to 9
  int64_t kernel = 1, stride = 1;  ///< 3 or 5, 1 or 2 (window_rows() alone)
  Ints pads{0, 0, 0, 0};           ///< SAME as TensorFlow has it, or symmetric
  std::string activation;
  uint32_t flags = 0;  ///< random bits for what an operator has besides

  bool flag(unsigned bit) const { return (flags >> bit & 1) != 0; }
  std::string text() const;
};
/// Every channel count x every count of output channels.
std::vector<Row> channel_rows();
/// Every channel count x kernel 3, 5 x stride 1, 2 x SAME, symmetric padding.
std::vector<Row> window_rows();

/// Tests for each instruction set that this processor has; others are skipped. And for "cuda": GPU kernels on the CPU.
class Kernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Whether the device under test is a GPU's twin.
  static bool on_gpu();

  /// The implementation that the step must run on, against the reference; the same bits at 1 and 3 threads; every value
  /// of the outputs written, and scratch no larger than asked for. In float32, and in bfloat16, and on a GPU float16,
  /// where that is possible.
  void check(const Case& c, std::string_view implementation, const std::string& what);
  /// The same in float32 alone, for what does not run in bfloat16.
  void check_float32(const Case& c, std::string_view implementation, const std::string& what);

  /// The same in bfloat16 alone, where that is possible.
  void check_bf16(const Case& c, std::string_view implementation, const std::string& what);

 private:
  /// tolerance: of the largest magnitude.
  void compare(const Case& c, std::string_view implementation, double tolerance, const std::string& what);
};

/// An operator of ONNX's own.
inline Case onnx_case(const char* op, std::map<std::string, ir::Attribute> attributes) {
  Case c(op, std::move(attributes));
  c.node.domain = "";
  return c;
}

inline Tensor int_list(const Ints& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

/// Elements that differ, of any type.
inline Tensor counted(const Shape& shape, DType dtype) {
  Tensor tensor(DType::kI32, shape);
  std::iota(tensor.mutable_data<int32_t>().begin(), tensor.mutable_data<int32_t>().end(), 1);
  return tensor.to(dtype);
}

/// NaN, infinities, zeros of both signs, the largest and the smallest numbers.
inline Tensor special_tensor(const Shape& shape) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kSpecial[] = {NAN, kInf, -kInf, -0.0f, 0, 1, -1, 3, -3, 6, 1e-40f, 3e38f, -3e38f, -100, 100};
  Tensor tensor(DType::kF32, shape);
  size_t i = 0;
  for (float& x : tensor.mutable_data<float>()) x = kSpecial[(i += 1 + i / 15) % 15];
  return tensor;
}

/// Moved elements are the same bits.
inline void expect_equal(const Case& c, std::string_view implementation, const std::string& what) {
  SCOPED_TRACE(what);
  const auto want = run(c, true, 1), got = run(c, false, 3, implementation);
  EXPECT_TRUE(std::ranges::equal(got[0].bytes(), want[0].bytes()));
}

/// Equal where the reference is NaN or infinite, and nowhere else either.
inline void expect_same_special(const Case& c, std::string_view implementation, const std::string& what) {
  SCOPED_TRACE(what);
  const Tensor want = run(c, true, 1)[0].to(DType::kF32), got = run(c, false, 1, implementation)[0].to(DType::kF32);
  for (int64_t i = 0; i < want.numel(); ++i) {
    const float a = want.data<float>()[i], b = got.data<float>()[i];
    EXPECT_TRUE(std::isnan(a) ? std::isnan(b) : a == b || std::abs(a - b) <= 1e-2f * std::abs(a) + 1e-6f)
        << i << ": " << a << ", " << b;
  }
}

}  // namespace effdet::kernels
