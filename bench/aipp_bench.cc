// Preprocessing in the model (AIPP) against preprocessing in front of it, up to the output of the first layer: for a
// camera's frames in separate steps, one loop each, and for images as benchmark does it for either kind of model.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <optional>

#include "compiler/compile.h"
#include "detection/model_input.h"

namespace effdet {
namespace {

constexpr float kMin[] = {123.675f, 116.28f, 103.53f}, kScale[] = {0.0171247538f, 0.0175070028f, 0.0174291939f};

/// What a file of --insert_op_conf would say.
aipp::Config normalise() {
  aipp::Config config;
  std::copy_n(kMin, 3, config.spec.min.begin());
  std::copy_n(kScale, 3, config.spec.scale.begin());
  return config;
}

/// D0's first layer, on float planes or after preprocessing.
std::shared_ptr<const runtime::Engine> first_layer(int64_t side, std::optional<aipp::Config> aipp) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::kF32, {1, 3, side, side});
  const ir::ValueId weight = graph.add_constant("w", Tensor(DType::kF32, {32, 3, 3, 3}));
  graph.outputs = {graph.add_node("Conv", "stem", {x, weight},
                                  {{"kernel_shape", std::vector<int64_t>{3, 3}},
                                   {"strides", std::vector<int64_t>{2, 2}},
                                   {"pads", std::vector<int64_t>{0, 0, 1, 1}}})};
  return std::make_shared<runtime::Engine>(compiler::compile(std::move(graph), {.aipp = std::move(aipp)}));
}

/// JPEG's colours of an NV12 frame, in integers as AIPP has them.
void nv12_to_rgb(const std::vector<uint8_t>& frame, int64_t height, int64_t width, std::vector<uint8_t>& rgb) {
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t *luma = &frame[static_cast<size_t>(y * width)],
                  *chroma = &frame[static_cast<size_t>((height + y / 2) * width)];
    uint8_t* out = &rgb[static_cast<size_t>(3 * y * width)];
    for (int64_t x = 0; x < width; ++x) {
      const int l = 256 * luma[x], u = chroma[x / 2 * 2] - 128, v = chroma[x / 2 * 2 + 1] - 128;
      out[3 * x] = static_cast<uint8_t>(std::clamp((l + 359 * v) >> 8, 0, 255));
      out[3 * x + 1] = static_cast<uint8_t>(std::clamp((l - 88 * u - 183 * v) >> 8, 0, 255));
      out[3 * x + 2] = static_cast<uint8_t>(std::clamp((l + 454 * u) >> 8, 0, 255));
    }
  }
}

/// The upper left side x side pixels of an image as normalised planes.
void to_planes(const std::vector<uint8_t>& rgb, int64_t width, int64_t side, float* planes) {
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < side; ++y) {
      const uint8_t* row = &rgb[static_cast<size_t>(3 * y * width + c)];
      for (int64_t x = 0; x < side; ++x) *planes++ = (static_cast<float>(row[3 * x]) - kMin[c]) * kScale[c];
    }
}

enum class Steps { kNone, kSeparate, kInTheModel };

/// A frame of a camera, half as wide again as the network's input and as high, cropped; without steps the layer alone.
void frame_to_first_layer(benchmark::State& state, bool nv12, Steps steps) {
  const bool aipp = steps == Steps::kInTheModel, separate = steps == Steps::kSeparate;
  const int64_t side = state.range(0), width = side * 3 / 2;
  aipp::Config config = normalise();
  config.crops = true;
  config.spec.source_width = width;
  config.spec.source_height = side;
  if (nv12) {
    config.spec.format = ops::AippFormat::kYuv420sp;
    config.spec.convert = true;
    config.spec.matrix = {256, 0, 359, 256, -88, -183, 256, 454, 0};
    config.spec.input_bias = {0, 128, 128};
  }
  const auto engine = first_layer(side, aipp ? std::optional(config) : std::nullopt);
  runtime::Session session(engine, 1);
  std::vector<uint8_t> frame(static_cast<size_t>(side * width * 3 / (nv12 ? 2 : 1)));
  for (size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<uint8_t>(i * 7 + i / 997);
  std::vector<uint8_t> rgb(static_cast<size_t>(3 * side * width));
  std::vector<float> planes(static_cast<size_t>(3 * side * side));
  std::vector<std::byte> output(artifact::value_bytes(engine->output(0)));
  const auto* source =
      reinterpret_cast<const std::byte*>(aipp ? static_cast<const void*>(frame.data()) : planes.data());
  std::byte* target = output.data();
  for (auto _ : state) {
    if (separate && nv12) nv12_to_rgb(frame, side, width, rgb);
    if (separate) to_planes(nv12 ? rgb : frame, width, side, planes.data());
    session.run({&source, 1}, {&target, 1});
  }
}

void image_to_first_layer(benchmark::State& state, bool aipp) {
  const int64_t side = state.range(0);
  const auto engine = first_layer(side, aipp ? std::optional(normalise()) : std::nullopt);
  model::ModelInfo info;
  info.mean = {0.485, 0.456, 0.406};
  info.std = {0.229, 0.224, 0.225};
  const detection::ModelInput input(*engine, info);
  runtime::Session session(engine, 1);
  // As large as the input, so that resizing, which both do alike, hides little of the difference.
  vision::Image image(static_cast<int>(side), static_cast<int>(side));
  for (uint8_t& sample : image.pixels()) sample = static_cast<uint8_t>(&sample - image.pixels().data());
  std::vector<std::byte> sample(input.sample_bytes()), output(artifact::value_bytes(engine->output(0)));
  const std::byte* source = sample.data();
  std::byte* target = output.data();
  for (auto _ : state) {
    vision::PixelRows rows(image);
    input.write(rows, sample);
    session.run({&source, 1}, {&target, 1});
  }
}

BENCHMARK_CAPTURE(frame_to_first_layer, layer_alone, false, Steps::kNone)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(frame_to_first_layer, rgb_separate, false, Steps::kSeparate)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(frame_to_first_layer, rgb_in_the_model, false, Steps::kInTheModel)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(frame_to_first_layer, nv12_separate, true, Steps::kSeparate)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(frame_to_first_layer, nv12_in_the_model, true, Steps::kInTheModel)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(image_to_first_layer, separate, false)->Arg(512)->Arg(1536);
BENCHMARK_CAPTURE(image_to_first_layer, in_the_model, true)->Arg(512)->Arg(1536);

}  // namespace
}  // namespace effdet

BENCHMARK_MAIN();
