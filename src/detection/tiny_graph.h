// A detector of five convolutions a head, for tests: its outputs and metadata are those of the family.
#pragma once

#include "base/error.h"
#include "detection/test_support.h"
#include "ir/graph.h"
#include "model/metadata.h"

namespace effdet::detection {

inline constexpr int kTinySide = 128, kTinyClasses = 6;

inline Tensor tiny_weights(uint32_t seed, int64_t outputs) {
  std::vector<float> values = noise(seed, static_cast<size_t>(outputs) * 3);
  for (float& value : values) value = value - 0.5f;
  return Tensor::from<float>({outputs, 3, 1, 1}, values);
}

/// Heads that look at the mean colour of each cell: fast, and every image gives something else.
inline ir::ValueId tiny_head(ir::Graph& graph, ir::ValueId input, int level, int channels, const std::string& name) {
  const int64_t stride = int64_t{1} << level;
  const ir::ValueId pooled = graph.add_node(
      "AveragePool", "pool_" + name, {input},
      {{"kernel_shape", std::vector<int64_t>{stride, stride}}, {"strides", std::vector<int64_t>{stride, stride}}});
  const ir::ValueId weight =
      graph.add_constant("weight_" + name, tiny_weights(static_cast<uint32_t>(level * 100 + channels), channels));
  return graph.add_node("Conv", "conv_" + name, {pooled, weight}, {{"kernel_shape", std::vector<int64_t>{1, 1}}});
}

inline ir::Graph tiny_graph(int batch) {
  ir::Graph graph;
  const ir::ValueId input = graph.add_input("x.1", DType::kF32, {batch, 3, kTinySide, kTinySide});
  graph.inputs = {input};
  for (const auto& [channels, name] : {std::pair{9 * kTinyClasses, "class"}, std::pair{9 * 4, "box"}})
    for (int level = 3; level <= 7; ++level)
      graph.outputs.push_back(tiny_head(graph, input, level, channels, fmt::format("{}{}", name, level)));
  model::ModelConfig config = model::default_config(*model::find_variant("tf_efficientdet_d0"), kTinyClasses);
  config.image_height = config.image_width = kTinySide;
  graph.metadata = model::metadata_of(config);
  return graph;
}

}  // namespace effdet::detection
