// From a picture to the output of the first layer: preprocessing in the model (AIPP) against preprocessing in front of
// it, which is what benchmark does with pictures for either kind of model. The letterbox is part of both.
#include <benchmark/benchmark.h>

#include "compiler/compile.h"
#include "pipeline/model_input.h"

namespace effdet {
namespace {

/// D0's first layer, on uint8 pictures or on float planes.
std::shared_ptr<const Engine> first_layer(int64_t side, bool aipp) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::kF32, {1, 3, side, side});
  const ir::ValueId weight = graph.add_constant("w", Tensor(DType::kF32, {32, 3, 3, 3}));
  graph.outputs = {graph.add_node("Conv", "stem", {x, weight},
                                  {{"kernel_shape", std::vector<int64_t>{3, 3}},
                                   {"strides", std::vector<int64_t>{2, 2}},
                                   {"pads", std::vector<int64_t>{0, 0, 1, 1}}})};
  compiler::CompileOptions options;
  if (aipp) {
    options.aipp.emplace();
    options.aipp->spec.min = {123.675f, 116.28f, 103.53f};
    options.aipp->spec.scale = {0.0171247538f, 0.0175070028f, 0.0174291939f};
  }
  return std::make_shared<Engine>(compiler::compile(std::move(graph), options));
}

void picture_to_first_layer(benchmark::State& state, bool aipp) {
  const int64_t side = state.range(0);
  const auto engine = first_layer(side, aipp);
  model::ModelInfo info;
  info.mean = {0.485, 0.456, 0.406};
  info.std = {0.229, 0.224, 0.225};
  const pipeline::ModelInput input(*engine, info);
  Session session(engine, static_cast<int>(state.range(1)));
  // As large as the input, so that resizing, which both do alike, hides little of the difference.
  Image picture(static_cast<int>(side), static_cast<int>(side));
  for (uint8_t& sample : picture.pixels()) sample = static_cast<uint8_t>(&sample - picture.pixels().data());
  std::vector<std::byte> sample(input.sample_bytes()), output(value_bytes(engine->output(0)));
  const std::byte* source = sample.data();
  std::byte* target = output.data();
  for (auto _ : state) {
    input.write(picture, "picture", sample);
    session.run({&source, 1}, {&target, 1});
  }
  state.counters["input_bytes"] = static_cast<double>(sample.size());
}

BENCHMARK_CAPTURE(picture_to_first_layer, separate, false)->ArgsProduct({{512, 1536}, {1, 2}})->UseRealTime();
BENCHMARK_CAPTURE(picture_to_first_layer, in_the_model, true)->ArgsProduct({{512, 1536}, {1, 2}})->UseRealTime();

}  // namespace
}  // namespace effdet

BENCHMARK_MAIN();
