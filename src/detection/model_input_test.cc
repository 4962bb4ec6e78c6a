// Images in each format of AIPP: what is written must come back as the letterbox when the model's own preprocessing
// has run.
#include "detection/model_input.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compiler/compile.h"
#include "detection/test_support.h"

namespace effdet::detection {
namespace {

/// A model that gives out the planes that AIPP makes of its input.
std::shared_ptr<const runtime::Engine> planes_model(const ops::AippSpec& spec, bool crops,
                                                    Shape shape = {1, 3, 64, 96}) {
  ir::Graph graph;
  graph.add_input("x", DType::kF32, std::move(shape));
  graph.outputs = {graph.add_node("Relu", "y", {graph.inputs[0]})};
  const aipp::Config config{.file = "aipp.cfg", .spec = spec, .crops = crops, .lines = {}};
  return std::make_shared<runtime::Engine>(compiler::compile(std::move(graph), {.aipp = config}));
}

/// Smooth in both directions, so that the chroma of four pixels is nearly that of each.
vision::Image smooth_image() {
  vision::Image image(90, 70);
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) {
      image.row(y)[3 * x] = static_cast<uint8_t>(x + y);
      image.row(y)[3 * x + 1] = static_cast<uint8_t>(200 - x);
      image.row(y)[3 * x + 2] = static_cast<uint8_t>(50 + 2 * y);
    }
  return image;
}

model::ModelInfo info() {
  model::ModelInfo info;
  info.mean = {0.485, 0.456, 0.406};
  info.std = {0.229, 0.224, 0.225};
  info.fill = {124, 116, 104};
  return info;
}

/// The largest difference of a sample between the letterbox and what the network sees of it.
double difference(const ops::AippSpec& spec, bool crops) {
  const auto engine = planes_model(spec, crops);
  const ModelInput input(*engine, info());
  Tensor sample(DType::kU8, *engine->input(0).shape);
  const vision::Image image = smooth_image();
  vision::PixelRows rows(image);
  input.write(rows, {reinterpret_cast<std::byte*>(sample.mutable_data<uint8_t>().data()), input.sample_bytes()});
  const Tensor planes = runtime::Session(engine, 1).run(std::span(&sample, 1)).at(0);
  const vision::Image box = vision::letterbox_to_image(image, input.preprocessing());
  double worst = 0;
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 96; ++x)
      for (int c = 0; c < 3; ++c) {
        const double seen = planes.data<float>()[static_cast<size_t>((c * 64 + y) * 96 + x)];
        worst = std::max(worst, std::abs(seen - box.row(y)[3 * x + c]));
      }
  return worst;
}

ops::AippSpec cropped(ops::AippFormat format) {
  ops::AippSpec spec;
  spec.format = format;
  spec.source_height = 100, spec.source_width = 120, spec.crop_top = 10, spec.crop_left = 22;
  return spec;
}

TEST(ModelInput, RgbComesBackToTheBit) {
  for (const auto format : {ops::AippFormat::kRgb888, ops::AippFormat::kXrgb8888})
    for (const bool swapped : {false, true}) {
      ops::AippSpec spec{.format = format, .swap_rbuv = swapped, .swap_ax = swapped};
      EXPECT_EQ(difference(spec, false), 0);
      spec = cropped(format);
      spec.swap_rbuv = spec.swap_ax = swapped;
      EXPECT_EQ(difference(spec, true), 0);
    }
}

TEST(ModelInput, YuvComesBackNearly) {
  for (const bool swapped : {false, true}) {
    ops::AippSpec spec = cropped(ops::AippFormat::kYuv420sp);
    spec.swap_rbuv = swapped;
    spec.convert = true;
    spec.matrix = {256, 0, 359, 256, -88, -183, 256, 454, 0};
    spec.input_bias = {0, 128, 128};
    // The fill's edge shares its chroma with the image's last row; elsewhere a sample is off by a few.
    EXPECT_LT(difference(spec, true), 60);
    EXPECT_GT(difference(spec, true), 0);
  }
}

TEST(ModelInput, FloatModelsTakeWhatPreprocessWrites) {
  ir::Graph graph;
  graph.add_input("x", DType::kF32, {2, 3, 64, 96});
  graph.outputs = {graph.add_node("Relu", "y", {graph.inputs[0]})};
  const runtime::Engine engine(compiler::compile(std::move(graph)));
  const ModelInput input(engine, info());
  EXPECT_EQ(input.batch(), 2u);
  std::vector<float> expected(3 * 64 * 96), got(expected.size());
  const vision::Image image = smooth_image();
  vision::PixelRows rows(image);
  vision::letterbox_to_tensor(image, input.preprocessing(), expected);
  input.write(rows, std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(got, expected);
}

/// A graph that was not compiled may have such a node, and know nothing of its input.
TEST(ModelInput, RefusesAippOnAnotherInput) {
  ops::AippSpec spec;
  spec.source_height = spec.crop_height = 64, spec.source_width = spec.crop_width = 96;
  for (const ir::Value& input :
       {ir::Value{"x", DType::kUnknown, Shape{}}, ir::Value{"x", DType::kF32, Shape{1, 3, 8, 8}},
        ir::Value{"x", DType::kU8, Shape{1, 8, 8, 3}}}) {
    ir::Graph graph;
    graph.inputs = {graph.add_value(input)};
    graph.outputs = {graph.add_value({"y", DType::kF32, std::nullopt, std::nullopt})};
    graph.nodes.push_back(
        {"Aipp", std::string(ir::kFusedDomain), "aipp", graph.inputs, graph.outputs, ops::aipp_attributes(spec)});
    EXPECT_EQ(error_of([&] { network_shape({&input, 1}, graph); }).code(), ErrorCode::kUnsupported);
  }
}

TEST(ModelInput, RefusesWhatWouldMoveTheImage) {
  ops::AippSpec spec;
  spec.pad_top = 4;
  const auto engine = planes_model(spec, false);
  const ModelInput input(*engine, info());
  std::vector<std::byte> sample(input.sample_bytes());
  const vision::Image image = smooth_image();
  vision::PixelRows rows(image, "a.jpg");
  const Error error = error_of([&] { input.write(rows, sample); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_TRUE(contains(error.what(), "a.jpg")) << error.what();
  EXPECT_EQ(error_of([&] {
              const auto grey = planes_model({.format = ops::AippFormat::kYuv400}, false, {1, 1, 8, 8});
              network_shape(grey->inputs(), grey->program().graph);
            }).code(),
            ErrorCode::kUnsupported);
}

TEST(ModelInput, FindsTheImagesAmongOtherInputs) {
  ir::Graph graph;
  graph.add_input("img_scale", DType::kF32, {2});
  graph.add_input("x", DType::kF32, {2, 3, 64, 96});
  graph.add_input("img_size", DType::kF32, {2, 2});
  std::vector<ir::Value> inputs;
  for (const ir::ValueId id : graph.inputs) inputs.push_back(graph.value(id));
  const ModelInput input(inputs, graph, info());
  EXPECT_EQ(input.images_input(), 1u);
  const vision::Image image = smooth_image();
  vision::PixelRows rows(image);
  EXPECT_EQ(input.batch_of(rows).size(), 2u * 3 * 64 * 96 * 4);
}

}  // namespace
}  // namespace effdet::detection
