// Builds backbone, pyramid and heads of a configuration into one graph, and counts its parameters.
#include "model/builder.h"

#include "base/error.h"
#include "model/family.h"
#include "model/metadata.h"
#include "model/tensor_names.h"

namespace effdet::model {

namespace {

/// Counts what PyTorch counts as parameters: all but batch norms' statistics.
class ParameterCounter : public WeightSource {
 public:
  explicit ParameterCounter(WeightSource& source) : source_(source) {}

  Tensor tensor(const std::string& name, const Shape& shape) override {
    Tensor tensor = source_.tensor(name, shape);
    if (!name.ends_with(".running_mean") && !name.ends_with(".running_var")) count += tensor.numel();
    return tensor;
  }
  void finish() override { source_.finish(); }

  int64_t count = 0;

 private:
  WeightSource& source_;
};

}  // namespace

ir::Graph build_graph(const ModelConfig& config, WeightSource& source) {
  check_config(config);
  ParameterCounter weights(source);
  ir::Graph graph;
  graph.name = config.variant.name;
  graph.metadata = metadata_of(config);
  Layers layers(graph, weights, config.batch);
  const Feature image = layers.input("x.1", 3, config.image_height, config.image_width);
  family_of(config.variant).build(graph, layers, image, config);
  weights.finish();
  graph.metadata[kParametersKey] = std::to_string(weights.count);
  return graph;
}

ir::Graph build_graph(const ModelConfig& config, const checkpoint::Checkpoint& checkpoint) {
  check_config(config);
  CheckpointWeights weights(checkpoint, fmt::format("{} with {} classes", config.variant.name, config.num_classes));
  RenamedWeights renamed(weights, config.variant);
  return build_graph(config, renamed);
}

std::vector<ExpectedTensor> expected_weights(const ModelConfig& config) {
  ShapeRecorder recorder;
  RenamedWeights renamed(recorder, config.variant);
  build_graph(config, renamed);
  return std::move(recorder.expected);
}

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  std::vector<ExpectedTensor> all;
  for (ExpectedTensor& tensor : expected_weights(config)) {
    const size_t dot = tensor.name.rfind('.');
    const bool ends_batch_norm = tensor.name.substr(dot + 1) == "running_var";
    const std::string module = tensor.name.substr(0, dot);
    all.push_back(std::move(tensor));
    if (ends_batch_norm) all.push_back({module + ".num_batches_tracked", {}, DType::kI64});
  }
  return all;
}

}  // namespace effdet::model
