// Preprocessing inside of the model against the reference kernel.
#include <random>

#include "kernels/kernel_test_util.h"
#include "ops/aipp.h"

namespace effdet::kernels {
namespace {

/// With every step, or with as few as there can be.
ops::AippSpec spec_of(ops::AippFormat format, int64_t width, bool plain) {
  ops::AippSpec spec;
  spec.format = format;
  spec.source_height = 20, spec.source_width = width + 4;
  spec.crop_top = plain ? 0 : 2, spec.crop_left = plain ? 0 : 4;
  spec.crop_height = 18, spec.crop_width = width;
  spec.swap_rbuv = spec.swap_ax = !plain;
  spec.mean = {1, 0, 255}, spec.min = {123.675f, 116.28f, 103.53f}, spec.scale = {0.0171f, 0.0175f, -2};
  if (!plain) spec.pad_top = 1, spec.pad_left = 2, spec.pad_bottom = 3, spec.pad_right = 4, spec.padding_value = 7;
  if (!plain && format != ops::AippFormat::kYuv400) {
    spec.convert = true;
    spec.matrix = {256, -7, 359, 256, -88, -183, 32767, 32767, -32767};
    spec.input_bias = {16, 128, 255}, spec.output_bias = {0, 3, 128};
  }
  return spec;
}

TEST_P(Kernels, Aipp) {
  using enum ops::AippFormat;
  for (const ops::AippFormat format : {kRgb888, kXrgb8888, kYuv420sp, kYuv400})
    for (const int64_t width : {2, 6, 16, 34, 130})
      for (const bool plain : {true, false}) {
        const ops::AippSpec spec = spec_of(format, width, plain);
        Tensor image(DType::kU8, spec.input_shape(2));
        std::mt19937 random(static_cast<uint32_t>(width));
        for (uint8_t& value : image.mutable_data<uint8_t>()) value = static_cast<uint8_t>(random());
        Case c("Aipp", ops::aipp_attributes(spec));
        c.add(image);
        const std::string what = fmt::format("format {}, width {}, plain {}", static_cast<int>(format), width, plain);
        check(c, "cpu:aipp", what);
        // Integers, and one rounding each for a subtraction and a product: the very bits of the reference.
        EXPECT_TRUE(std::ranges::equal(run(c, true, 1)[0].bytes(), run(c, false, 1)[0].bytes())) << what;
      }
}

}  // namespace
}  // namespace effdet::kernels
