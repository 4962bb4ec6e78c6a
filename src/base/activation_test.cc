// The table of activations against PyTorch.
#include "base/activation.h"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <string_view>

namespace effdet {
namespace {

TEST(Activation, NamesDiffer) {
  std::set<std::string_view> names;
  for (const ActivationRow& row : kActivations) EXPECT_TRUE(names.insert(activation_name(row.activation)).second);
}

TEST(Activation, ThoseOfFusedOperatorsHaveFunctions) {
  for (const ActivationRow& row : kActivations)
    EXPECT_EQ(row.function != nullptr, static_cast<int32_t>(row.activation) < kFusedActivations) << row.name;
}

TEST(Activation, ValuesOfPyTorch) {
  constexpr float kInputs[] = {-7, -2.5f, -0.5f, 0, 0.5f, 2.5f, 7};
  constexpr struct {
    Activation activation;
    float values[std::size(kInputs)];
  } kGolden[] = {
      {Activation::kNone, {-7, -2.5f, -0.5f, 0, 0.5f, 2.5f, 7}},
      {Activation::kSwish, {-0.0063773585f, -0.18964545f, -0.18877034f, 0, 0.31122968f, 2.3103545f, 6.9936228f}},
      {Activation::kRelu, {0, 0, 0, 0, 0.5f, 2.5f, 7}},
      {Activation::kRelu6, {0, 0, 0, 0, 0.5f, 2.5f, 6}},
      {Activation::kSigmoid, {0.00091105117f, 0.075858176f, 0.37754068f, 0.5f, 0.62245935f, 0.92414182f, 0.999089f}},
      {Activation::kHardSwish, {0, -0.20833333f, -0.20833333f, 0, 0.29166666f, 2.2916667f, 7}},
      {Activation::kHardSigmoid, {0, 0.083333336f, 0.41666666f, 0.5f, 0.58333331f, 0.91666669f, 1}},
      {Activation::kLeakyRelu, {-0.07f, -0.025f, -0.005f, 0, 0.5f, 2.5f, 7}},
      {Activation::kMish, {-0.0063802637f, -0.19681619f, -0.22074376f, 0, 0.37524524f, 2.4713924f, 6.9999886f}},
  };
  for (const auto& [activation, values] : kGolden)
    for (size_t i = 0; i < std::size(kInputs); ++i)
      EXPECT_NEAR(activate(activation, kInputs[i]), values[i], 1e-6f)
          << activation_name(activation) << " of " << kInputs[i];
}

}  // namespace
}  // namespace effdet
