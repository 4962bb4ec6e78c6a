// Tensors: conversion between all types, half floats, shapes and names.
#include "base/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "effdet/error.h"

namespace effdet::inline base {
namespace {

TEST(Half, AllValuesSurviveTheRoundTrip) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(float_to_half(value), bits) << value;
    const float wide = bfloat16_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) continue;
    ASSERT_EQ(float_to_bfloat16(wide), bits);
  }
}

TEST(Half, WhatIsNoNumberStaysNone) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::signaling_NaN()}) {
    EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
    EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(value))));
  }
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(float_to_half(65519.0f), 0x7BFF);
  EXPECT_EQ(float_to_half(65520.0f), 0x7C00);
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f), 0x3C00);
  EXPECT_EQ(float_to_half(1.0f + 3 * 0x1p-11f), 0x3C02);
  EXPECT_EQ(float_to_half(0x1p-25f), 0);
  EXPECT_EQ(float_to_half(0x1.8p-25f), 1);
  EXPECT_EQ(float_to_bfloat16(1.0f + 0x1p-8f), 0x3F80);
  EXPECT_EQ(float_to_bfloat16(1.0f + 3 * 0x1p-8f), 0x3F82);
}

TEST(Tensor, ConvertsAndReshapes) {
  const std::vector<float> values{1.5f, -2, 0, 65504};
  const Tensor tensor = Tensor::from<float>({2, 2}, values);
  const Tensor back = tensor.to(DType::kF16).to(DType::kF64).to(DType::kF32);
  EXPECT_TRUE(std::equal(values.begin(), values.end(), back.data<float>().begin()));
  EXPECT_EQ(tensor.reshaped({4}).shape(), Shape{4});
  EXPECT_THROW(tensor.reshaped({3}), Error);
  EXPECT_THROW(tensor.data<double>(), Error);
}

TEST(Tensor, EveryTypeBecomesEveryOther) {
  std::vector<DType> types;
  for (int i = 0; i < static_cast<int>(DType::kUnknown); ++i) types.push_back(static_cast<DType>(i));
  const Tensor numbers = Tensor::from<float>({5}, std::vector<float>{0, 1, 2, 3, 100});
  const Tensor flags = Tensor::from<float>({5}, std::vector<float>{0, 1, 1, 1, 1});
  for (const DType from : types)
    for (const DType to : types) {
      const bool flagged = from == DType::kBool || to == DType::kBool;
      const Tensor back = numbers.to(from).to(to).to(DType::kF32);
      EXPECT_TRUE(std::ranges::equal(back.data<float>(), (flagged ? flags : numbers).data<float>()))
          << dtype_name(from) << " to " << dtype_name(to);
    }
}

TEST(Tensor, NumbersBeyondATypeBecomeItsNearest) {
  const Tensor numbers = Tensor::from<double>({3}, std::vector<double>{-1e30, 1e30, NAN});
  EXPECT_EQ(numbers.to(DType::kI8).data<int8_t>()[0], -128);
  EXPECT_EQ(numbers.to(DType::kU16).data<uint16_t>()[0], 0);
  EXPECT_EQ(numbers.to(DType::kI64).data<int64_t>()[0], std::numeric_limits<int64_t>::min());
  EXPECT_EQ(numbers.to(DType::kU64).data<uint64_t>()[1], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(numbers.to(DType::kI32).data<int32_t>()[1], std::numeric_limits<int32_t>::max());
  EXPECT_EQ(numbers.to(DType::kI16).data<int16_t>()[2], 0);
  const uint64_t large = (uint64_t{1} << 63) + 4096;
  EXPECT_EQ(Tensor::scalar(large).to(DType::kF64).data<double>()[0], static_cast<double>(large));
}

TEST(Tensor, NamesOfTypes) {
  for (int i = 0; i < static_cast<int>(DType::kUnknown); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_of_name(dtype_name(dtype)), dtype) << dtype_name(dtype);
  }
  EXPECT_EQ(dtype_name(DType::kUnknown), "unknown");
  EXPECT_FALSE(dtype_of_name("unknown"));  // no tensor is
  EXPECT_FALSE(dtype_of_name("float"));
}

TEST(Tensor, ShapesThatCannotBe) {
  EXPECT_THROW(Tensor(DType::kF32, {int64_t{1} << 45}), Error);
  EXPECT_THROW(Tensor(DType::kF32, {int64_t{1} << 40, int64_t{1} << 40}), Error);
  EXPECT_THROW(Tensor(DType::kF32, {-1}), Error);
  EXPECT_THROW(Tensor(DType::kU8, {int64_t{1} << 62, 4}, nullptr), Error);
  EXPECT_THROW(Tensor::scalar(1.0f).reshaped({2}), Error);
  EXPECT_EQ(shape_text(std::vector<int64_t>{2, -1}), "2x?");
}

}  // namespace
}  // namespace effdet::inline base
