// Aipp's reference kernel against values worked out by hand, and attributes that no compiler writes.
#include "ops/aipp.h"

#include <gtest/gtest.h>

#include <limits>

#include "ops/test_util.h"

namespace effdet::ops {
namespace {

using Bytes = std::vector<uint8_t>;

AippSpec spec_of(AippFormat format, int64_t height, int64_t width) {
  AippSpec spec;
  spec.format = format;
  spec.source_height = spec.crop_height = height;
  spec.source_width = spec.crop_width = width;
  return spec;
}

Tensor run_aipp(std::map<std::string, ir::Attribute> attributes, const Tensor& input) {
  const ir::Node node{"Aipp", std::string(ir::kFusedDomain), "test", {0}, {1}, std::move(attributes)};
  const Tensor* inputs[] = {&input};
  return evaluate_node(node, 11, inputs).at(0);
}

std::vector<float> run_spec(const AippSpec& spec, const Bytes& bytes) {
  return values(run_aipp(aipp_attributes(spec), Tensor::from<uint8_t>(spec.input_shape(1), bytes)));
}

TEST(Aipp, RgbIsNormalisedByChannel) {
  AippSpec spec = spec_of(AippFormat::kRgb888, 1, 2);
  spec.mean = {1, 0, 10};
  spec.min = {0.5f, 0, 0};
  spec.scale = {2, 1, 0.5f};
  EXPECT_EQ(run_spec(spec, {10, 20, 30, 0, 255, 5}), (std::vector<float>{17, -3, 20, 255, 10, -2.5f}));
}

TEST(Aipp, SwapCropAndPadding) {
  AippSpec spec = spec_of(AippFormat::kRgb888, 2, 3);
  spec.swap_rbuv = true;
  spec.crop_top = 1, spec.crop_left = 1, spec.crop_height = 1, spec.crop_width = 2;
  spec.pad_top = 1, spec.pad_right = 1, spec.padding_value = -1;
  const Bytes image = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6};
  EXPECT_EQ(run_spec(spec, image),
            (std::vector<float>{-1, -1, -1, 3, 6, -1, -1, -1, -1, 2, 5, -1, -1, -1, -1, 1, 4, -1}));
}

TEST(Aipp, XrgbSkipsTheByteThatDoesNotCount) {
  AippSpec spec = spec_of(AippFormat::kXrgb8888, 1, 1);
  EXPECT_EQ(run_spec(spec, {9, 1, 2, 3}), (std::vector<float>{1, 2, 3}));
  spec.swap_ax = true;
  EXPECT_EQ(run_spec(spec, {1, 2, 3, 9}), (std::vector<float>{1, 2, 3}));
}

TEST(Aipp, YuvIsConvertedInIntegers) {
  AippSpec spec = spec_of(AippFormat::kYuv420sp, 2, 4);
  spec.convert = true;
  spec.matrix = {256, 0, 359, 256, -88, -183, 256, 454, 0};
  spec.input_bias = {0, 128, 128};
  const Bytes nv12 = {16, 100, 200, 255, 0, 50, 128, 7, 90, 240, 128, 128};
  // U 90, V 240 on the left: R = Y + (359 * 112 >> 8) = Y + 157; G = Y + (-88 * -38 - 183 * 112) >> 8 = Y - 67 (-17152
  // / 256); B = Y + (454 * -38 >> 8) = Y - 68.
  const std::vector<float> want = {173, 255, 200, 255, 157, 207, 128, 7,  //
                                   0,   33,  200, 255, 0,   0,   128, 7,  //
                                   0,   32,  200, 255, 0,   0,   128, 7};
  EXPECT_EQ(run_spec(spec, nv12), want);
  spec.swap_rbuv = true;  // NV21
  Bytes nv21 = nv12;
  std::swap(nv21[8], nv21[9]);
  EXPECT_EQ(run_spec(spec, nv21), want);
}

TEST(Aipp, OutputBiasIsAddedBehindTheShift) {
  AippSpec spec = spec_of(AippFormat::kRgb888, 1, 1);
  spec.convert = true;
  spec.matrix = {77, 150, 29, -43, -84, 128, 128, -107, -20};
  spec.output_bias = {0, 128, 128};
  EXPECT_EQ(run_spec(spec, {255, 0, 0}), (std::vector<float>{76, 85, 255}));  // -42.8 rounds down to -43
}

TEST(Aipp, GrayFillsAsManyChannelsAsTheNetworkHas) {
  AippSpec spec = spec_of(AippFormat::kYuv400, 1, 2);
  EXPECT_EQ(run_spec(spec, {3, 4}), (std::vector<float>{3, 4, 3, 4, 3, 4}));
  spec.channels = 1;
  EXPECT_EQ(run_spec(spec, {3, 4}), (std::vector<float>{3, 4}));
}

TEST(Aipp, AttributesHoldTheWholeSpec) {
  AippSpec spec = spec_of(AippFormat::kYuv420sp, 6, 8);
  spec.crop_top = 2, spec.crop_height = 4, spec.pad_left = 3, spec.padding_value = 1.5f;
  spec.swap_rbuv = spec.convert = true;
  spec.matrix = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  spec.input_bias = {1, 2, 3}, spec.output_bias = {4, 5, 6}, spec.mean = {7, 8, 9};
  const ir::Node node{"Aipp", std::string(ir::kFusedDomain), "test", {0}, {1}, aipp_attributes(spec)};
  EXPECT_EQ(aipp_of(node), spec);
}

TEST(BadInput, Case68_AippAttributesOfAHostileModel) {
  const AippSpec spec = spec_of(AippFormat::kRgb888, 4, 4);
  const auto refused = [&](const char* attribute, ir::Attribute value) {
    auto attributes = aipp_attributes(spec);
    attributes[attribute] = std::move(value);
    EXPECT_THROW(run_aipp(attributes, Tensor(DType::kU8, {1, 4, 4, 3})), Error) << attribute;
  };
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min(), kHighest = std::numeric_limits<int64_t>::max();
  for (const int64_t bad : {kLowest, int64_t{-1}, int64_t{5}, kHighest}) {
    refused("source_size", List{bad, 4});
    for (size_t i = 0; i < 4; ++i) {
      List crop = {0, 0, 4, 4};
      crop[i] = bad;
      refused("crop", crop);
    }
  }
  refused("pads", List{kHighest, 0, 0, 0});
  refused("pads", List{0, 0, 0});
  refused("pads", 1.5f);
  refused("format", std::string("RGB"));
  refused("matrix", List{kLowest, 0, 0, 0, 0, 0, 0, 0, 0});
  refused("min", std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 0, 0});
  refused("scale", std::vector<float>{0, 1, 1});
  refused("scale", std::vector<float>{1, 1});
  refused("out_channels", int64_t{4});
  refused("out_channels", int64_t{1});
  EXPECT_THROW(run_aipp(aipp_attributes(spec), Tensor(DType::kF32, {1, 4, 4, 3})), Error);
  EXPECT_THROW(run_aipp(aipp_attributes(spec), Tensor(DType::kU8, {1, 4, 4, 4})), Error);
  EXPECT_THROW(run_aipp({}, Tensor(DType::kU8, {1, 4, 4, 3})), Error);
}

}  // namespace
}  // namespace effdet::ops
