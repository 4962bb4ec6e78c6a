// Sums to codes by vectors against the arithmetic of one number, bit for bit.
#include "kernels/cpu/requantization.h"

#include "kernels/kernel_test_util.h"

namespace effdet::kernels {
namespace {

/// Sums around codes, halves between them, and far beyond; a few that are no numbers.
std::vector<float> sums_around(float step) {
  std::vector<float> sums;
  for (int i = -70000; i <= 70000; i += 7) sums.push_back(static_cast<float>(i) * step);
  for (float x = 0.5f; x < 1e9f; x *= 1.37f)
    for (const float sign : {-1.0f, 1.0f}) sums.push_back(sign * x * step);
  const Tensor special = special_tensor({15});
  sums.insert(sums.end(), special.data<float>().begin(), special.data<float>().end());
  return sums;
}

TEST_P(Kernels, RequantizesAsOneNumber) {
  if (on_gpu()) GTEST_SKIP() << "GPU kernels know no codes";
  const cpu::MicroKernels& micro = *cpu::micro_kernels_for(GetParam());
  for (const ActivationRow& row : kActivations) {
    if (!ops::Requantizer::takes(row.activation)) continue;
    for (const ops::Quantization& y :
         {ops::Quantization{0.0247f, 11}, {0.5f, 0}, {1e-5f, 128}, {3.0f, 255}, {0.0017f, 3}, {1e-30f, 7}}) {
      SCOPED_TRACE(fmt::format("{} to steps of {} from {}", row.name, y.scale, y.zero_point));
      const ops::Requantizer requantizer(row.activation, y);
      const cpu::Requantization r = cpu::requantization(requantizer);
      const float factor = requantizer.multiplier(0.0013f);
      for (const float step : {1.0f, 1 / factor, y.scale / (16 * factor)}) {
        const std::vector<float> sums = sums_around(step);
        std::vector<uint8_t> codes(sums.size()), want(sums.size());
        micro.codes.requantize(sums.data(), factor, codes.data(), static_cast<int64_t>(sums.size()), r);
        std::ranges::transform(sums, want.begin(), [&](float sum) { return requantizer.code(sum * factor); });
        EXPECT_EQ(codes, want);
      }
    }
  }
}

TEST_P(Kernels, RequantizesNothingBeyondTheLast) {
  if (on_gpu()) GTEST_SKIP() << "GPU kernels know no codes";
  const cpu::MicroKernels& micro = *cpu::micro_kernels_for(GetParam());
  const cpu::Requantization r = cpu::requantization(ops::Requantizer(Activation::kNone, {1, 0}));
  const std::vector<float> sums(130, 200.0f);
  for (int64_t count = 0; count < 130; ++count) {
    std::vector<uint8_t> codes(131, 1);
    micro.codes.requantize(sums.data(), 1, codes.data(), count, r);
    EXPECT_EQ(std::ranges::count(codes, 200), count);
    EXPECT_EQ(codes[static_cast<size_t>(count)], 1);
  }
}

}  // namespace
}  // namespace effdet::kernels
