// Files of --insert_op_conf: what they say, and what is refused.
#include "aipp/config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aipp/describe.h"
#include "aipp/text.h"
#include "base/error.h"
#include "base/file.h"
#include "support/german_locale.h"
#include "support/test_folder.h"

namespace effdet::aipp {
namespace {

const Shape kNetwork = {1, 3, 256, 320};
const std::string kStart = "aipp_op {\n  aipp_mode: static\n  input_format: RGB888_U8\n";

ops::AippSpec spec_of(const std::string& text, const Shape& network = kNetwork) {
  const test::TestFolder folder("aipp");
  const std::filesystem::path path = folder / "aipp_test.cfg";
  write_file(path, text, /*sync=*/false);
  return read_config(path).resolve(network);
}

/// The error of a file, which must hold each of the parts.
void expect_refused(const std::string& text, std::initializer_list<std::string_view> parts,
                    ErrorCode code = ErrorCode::kBadInput, const Shape& network = kNetwork) {
  try {
    spec_of(text, network);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.code(), code) << message;
    EXPECT_NE(message.find("aipp_test.cfg"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    for (const std::string_view part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(AippConfig, ARealFile) {
  const ops::AippSpec spec = spec_of(R"(aipp_op {
    aipp_mode: static
    input_format : YUV420SP_U8   # NV21
    src_image_size_w : 400
    src_image_size_h : 300
    crop: true
    load_start_pos_w : 40
    load_start_pos_h : 20
    crop_size_w: 320
    crop_size_h: 256
    csc_switch : true
    rbuv_swap_switch : true
    matrix_r0c0 : 256 matrix_r0c1 : 0 matrix_r0c2 : 359
    matrix_r1c0 : 256 matrix_r1c1 : -88 matrix_r1c2 : -183
    matrix_r2c0 : 256 matrix_r2c1 : 454 matrix_r2c2 : 0
    input_bias_0 : 0 input_bias_1 : 128 input_bias_2 : 128
    min_chn_0 : 123.675 min_chn_1 : 116.28 min_chn_2 : 103.53
    var_reci_chn_0 : 0.0171247538 var_reci_chn_1 : 0.0175070028 var_reci_chn_2 : 0.0174291939
})");
  EXPECT_EQ(spec.format, ops::AippFormat::kYuv420sp);
  EXPECT_EQ(spec.input_shape(2), (Shape{2, 450, 400, 1}));
  EXPECT_EQ(spec.output_shape(2), (Shape{2, 3, 256, 320}));
  EXPECT_EQ(spec.crop_left, 40);
  EXPECT_EQ(spec.matrix, (std::array<int64_t, 9>{256, 0, 359, 256, -88, -183, 256, 454, 0}));
  EXPECT_EQ(spec.input_bias, (std::array<int64_t, 3>{0, 128, 128}));
  EXPECT_EQ(spec.min[1], 116.28f);
  EXPECT_EQ(spec.scale[2], 0.0174291939f);
  EXPECT_TRUE(spec.swap_rbuv && spec.convert && !spec.swap_ax);
}

TEST(AippConfig, IsDescribedStepByStep) {
  using Steps = std::vector<std::string>;
  const AippDescription plain = describe(spec_of(kStart + "}"));
  EXPECT_EQ(plain.format, "RGB888_U8");
  EXPECT_EQ(plain.width, 320);
  EXPECT_EQ(plain.height, 256);
  EXPECT_EQ(plain.steps, Steps{"(sample - (0 0 0) - (0 0 0)) * (1 1 1)"});
  const AippDescription full = describe(spec_of(R"(aipp_op { aipp_mode: static input_format: XRGB8888_U8
    ax_swap_switch: true rbuv_swap_switch: true crop: true src_image_size_w: 400 src_image_size_h: 300
    load_start_pos_w: 4 load_start_pos_h: 2 crop_size_w: 300 crop_size_h: 250
    padding: true left_padding_size: 20 bottom_padding_size: 6 padding_value: 7
    csc_switch: true matrix_r0c0: 256 matrix_r0c1: 0 matrix_r0c2: 1 matrix_r1c0: 2 matrix_r1c1: 3 matrix_r1c2: 4
    matrix_r2c0: 5 matrix_r2c1: 6 matrix_r2c2: 7 output_bias_0: 16 output_bias_1: 128 output_bias_2: 128
    mean_chn_0: 1 mean_chn_1: 2 mean_chn_2: 3 var_reci_chn_0: 0.5 })"));
  EXPECT_EQ(full.steps,
            (Steps{"the last byte of a pixel does not count", "swap red and blue",
                   "crop 300 x 250 (width x height) at (4, 2)",
                   "convert colours by (256 0 1 2 3 4 5 6 7) >> 8, biases in (0 0 0), out (16 128 128)",
                   "(sample - (1 2 3) - (0 0 0)) * (0.5 1 1)", "pad by 0 20 6 0 (top, left, bottom, right) with 7"}));
}

/// One side is enough for a step, and of luma and chroma there are other channels to swap.
TEST(AippConfig, StepsOfOneSide) {
  const auto steps = [](const std::string& fields) { return describe(spec_of(kStart + fields + "}")).steps; };
  const std::string same = "(sample - (0 0 0) - (0 0 0)) * (1 1 1)";
  EXPECT_EQ(steps("crop: true src_image_size_w: 400 "),
            (std::vector<std::string>{"crop 320 x 256 (width x height) at (0, 0)", same}));
  EXPECT_EQ(steps("crop: true src_image_size_h: 300 "),
            (std::vector<std::string>{"crop 320 x 256 (width x height) at (0, 0)", same}));
  EXPECT_EQ(steps("padding: true left_padding_size: 20 "),
            (std::vector<std::string>{same, "pad by 0 20 0 0 (top, left, bottom, right) with 0"}));
  EXPECT_EQ(steps("padding: true top_padding_size: 8 "),
            (std::vector<std::string>{same, "pad by 8 0 0 0 (top, left, bottom, right) with 0"}));
  EXPECT_EQ(describe(spec_of("aipp_op { aipp_mode: static input_format: YUV420SP_U8 rbuv_swap_switch: true }")).steps,
            (std::vector<std::string>{"swap U and V", same}));
}

TEST(AippConfig, SizesFollowFromTheNetwork) {
  const ops::AippSpec whole = spec_of(kStart + "}");
  EXPECT_EQ(whole.input_shape(1), (Shape{1, 256, 320, 3}));
  const ops::AippSpec padded = spec_of(kStart + "padding: true bottom_padding_size: 16 right_padding_size: 20 }");
  EXPECT_EQ(padded.input_shape(1), (Shape{1, 240, 300, 3}));
  EXPECT_EQ(padded.output_shape(1), (Shape{1, 3, 256, 320}));
  const ops::AippSpec cropped = spec_of(kStart + "crop: true src_image_size_w: 1000 src_image_size_h: 900 }");
  EXPECT_EQ(cropped.crop_height, 256);
  EXPECT_EQ(cropped.input_shape(1), (Shape{1, 900, 1000, 3}));
}

TEST(AippConfig, AnotherLocaleReadsTheSame) {
  const test::GermanLocale german("ISO-8859-1");
  if (!german.is_made()) GTEST_SKIP() << test::GermanLocale::kMissing;
  german.use();
  EXPECT_EQ(spec_of(kStart + "min_chn_0: 1.5 }").min[0], 1.5f);
  EXPECT_THROW(spec_of(kStart + "min_chn_0: 1,5 }"), Error);
}

TEST(AippConfig, WhatIsKnownAndNotSupported) {
  using enum ErrorCode;
  expect_refused("aipp_op { aipp_mode: dynamic\ninput_format: RGB888_U8 max_src_image_size: 1000 }",
                 {":1:", "aipp_mode", "static"}, kUnsupported);
  expect_refused(kStart + "resize: true }", {":4:", "resize"}, kUnsupported);
  expect_refused(kStart + "related_input_rank: 1 }", {":4:", "related_input_rank"}, kUnsupported);
  expect_refused(kStart + "}\naipp_op { aipp_mode: static }", {":5:", "second aipp_op"}, kUnsupported);
  for (const std::string field : {"support_rotation", "single_line_mode"}) {
    expect_refused(kStart + field + ": true }", {":4: " + field + ": not supported; leave it out"}, kUnsupported);
    EXPECT_NO_THROW(spec_of(kStart + field + ": false }"));
  }
  expect_refused(kStart + "input_edge_idx: 1 }", {":4: input_edge_idx: "}, kUnsupported);
  EXPECT_EQ(spec_of(kStart + "related_input_name: \"images\" related_input_rank: 0 }"), spec_of(kStart + "}"));
}

TEST(AippConfig, FieldsThatAreNotGivenSayNothing) {
  const Fields fields("aipp_op {\n crop: true\n related_input_name: 'x' }", "name");
  EXPECT_EQ(fields.number("crop"), 1);
  EXPECT_EQ(fields.number("padding"), 0);
  EXPECT_EQ(fields.text("related_input_name"), "x");
  EXPECT_EQ(fields.text("aipp_mode"), "");
  EXPECT_EQ(fields.lines(), (std::map<std::string, int>{{"crop", 2}, {"related_input_name", 3}}));
}

TEST(BadInput, Case90_AippFieldsUnknownRepeatedOrMissing) {
  expect_refused(kStart + "  src_size: 4\n}", {":4:", "src_size"});
  expect_refused(kStart + "  crop: true\n  crop: false\n}", {":5:", "crop"});
  expect_refused("aipp_op { input_format: RGB888_U8 }", {"aipp_mode"});
  expect_refused("aipp_op { aipp_mode: static }", {"input_format"});
  expect_refused("aipp_op {\n aipp_mode: undefined input_format: RGB888_U8 }", {":2: aipp_mode: undefined"});
  expect_refused(kStart + "csc_switch: true matrix_r0c0: 1 }", {"matrix_r0c1"});
  expect_refused(kStart + "input_format: RGB }", {":4:", "input_format"});
}

TEST(BadInput, Case90_AippBraces) {
  expect_refused("", {"aipp_op"});
  expect_refused(kStart, {":4:"});
  expect_refused(kStart + "}}", {":4:"});
  expect_refused("aipp_op\n", {":2:"});
  expect_refused("aipp_mode: static", {":1:", "aipp_mode"});
  expect_refused(std::string("aipp_op {\0}", 11), {":1:"});
  expect_refused(std::string(100000, '{'), {":1:"});
}

TEST(BadInput, Case90_AippSizes) {
  expect_refused(kStart + "crop: true\nsrc_image_size_w: 320\nload_start_pos_w: 1\ncrop_size_w: 320 }",
                 {":7:", "crop_size_w"});
  expect_refused(kStart + "crop: true src_image_size_h: 200 }", {"crop_size_h"});
  expect_refused(kStart + "src_image_size_w: 400 }", {":4:", "src_image_size_w", "400", "320"});
  expect_refused(kStart + "src_image_size_h: 200 }", {":4:", "src_image_size_h", "200 rows", "256"});
  expect_refused(kStart + "padding: true\nleft_padding_size: 320 }", {"src_image_size_w"});
  expect_refused(kStart + "src_image_size_w: 65537 }", {":4:", "src_image_size_w", "65537"});
  expect_refused(kStart + "src_image_size_w: -1 }", {":4:", "src_image_size_w"});
  expect_refused(kStart + "src_image_size_w: 99999999999999999999 }", {":4:", "src_image_size_w"});
  expect_refused(kStart + "src_image_size_w: 0x100000000 }", {":4:", "src_image_size_w"});
  const std::string yuv = "aipp_op { aipp_mode: static input_format: YUV420SP_U8 crop: true\n";
  expect_refused(yuv + "src_image_size_w: 401 src_image_size_h: 300 }", {":2:", "src_image_size_w", "odd"});
  expect_refused(yuv + "src_image_size_w: 400 src_image_size_h: 300\nload_start_pos_h: 3 }",
                 {":3:", "load_start_pos_h", "odd"});
  expect_refused(yuv + "}", {"src_image_size_w", "odd"}, ErrorCode::kBadInput, {1, 3, 128, 127});
  expect_refused(kStart + "}", {"input_format", "1"}, ErrorCode::kBadInput, {1, 1, 128, 128});
  for (const Shape& network : {Shape{1, 1000}, Shape{0, 3, 256, 320}, Shape{-1, 3, 256, 320}, Shape{}})
    expect_refused(kStart + "}", {"not a batch of images"}, ErrorCode::kBadInput, network);
}

TEST(BadInput, Case90_AippNumbers) {
  for (const char* value : {"0", "0.0", "-0", "inf", "-inf", "nan", "1e999", "1e-999", "1e-50"})
    expect_refused(kStart + "var_reci_chn_1: " + value + " }", {":4:", "var_reci_chn_1"});
  expect_refused(kStart + "var_reci_chn_0: 0,017\n}", {":4:", "0,017"});
  expect_refused(kStart + "min_chn_0: 123,675\n}", {":4:", "123,675"});
  expect_refused(kStart + "min_chn_0: \"1\" }", {":4:", "min_chn_0"});
  expect_refused(kStart + "mean_chn_0: 1.5 }", {":4:", "mean_chn_0"});
  expect_refused(kStart + "mean_chn_0: 256 }", {":4:", "mean_chn_0", "256"});
  expect_refused(kStart + "matrix_r0c0: 32768 }", {":4:", "matrix_r0c0"});
  expect_refused(kStart + "crop: maybe }", {":4:", "crop"});
  expect_refused(kStart + "mean_chn_0: 0x\n}", {":4:", "(at 'mean_chn_0: 0x')"});
  expect_refused(kStart + "related_input_name: \"x\n", {":4:", "line boundaries"});  // the first of two errors
  expect_refused(
      "aipp_op { aipp_mode: static input_format: YUV400_U8\ncsc_switch: true matrix_r0c0: 0 matrix_r0c1: 0 "
      "matrix_r0c2: 0 matrix_r1c0: 0 matrix_r1c1: 0 matrix_r1c2: 0 matrix_r2c0: 0 matrix_r2c1: 0 "
      "matrix_r2c2: 0 }",
      {":2:", "csc_switch"});
}

}  // namespace
}  // namespace effdet::aipp
