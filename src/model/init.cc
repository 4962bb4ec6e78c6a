// Random weights by effdet's rules of initialisation, then calibrated statistics.
#include "model/init.h"

#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "effdet/checkpoint.h"
#include "model/builder.h"
#include "model/calibrate.h"
#include "model/model_options.h"
#include "model/random.h"
#include "model/synthetic_image.h"
#include "model/tensor_names.h"

namespace effdet::model {
namespace {

/// The coarsest level needs more than one cell: padding would dominate its statistics.
int calibration_size(const Variant& variant) { return 2 << variant.max_level; }
/// Several kinds of image; fewer where they are large, to keep the time in bounds.
int calibration_batch(const Variant& variant) { return variant.max_level > 7 ? 2 : 4; }

void fill_uniform(Tensor& tensor, RandomStream& random, float low, float high) {
  for (float& value : tensor.mutable_data<float>()) value = random.uniform(low, high);
}

void fill_constant(Tensor& tensor, float constant) {
  for (float& value : tensor.mutable_data<float>()) value = constant;
}

/// Deviation gain / sqrt(number of inputs of one output): the signal's power is kept.
void fill_kernel(Tensor& tensor, RandomStream& random, float gain) {
  const float fan_in = static_cast<float>(tensor.numel() / tensor.dim(0));
  const float deviation = gain / std::sqrt(fan_in);
  for (float& value : tensor.mutable_data<float>()) value = deviation * random.normal();
}

void fill_weight(Tensor& tensor, const std::string& name, RandomStream& random) {
  // Squeeze-excite gates near 1: were they near 0.5, a strong image could double in every block.
  const bool is_gate = name.ends_with(".se.conv_expand.weight");
  if (tensor.rank() == 4) return fill_kernel(tensor, random, is_gate ? 0.5f : 1.0f);
  // Small residual branches, as in trained networks: rounding errors do not grow with depth.
  const float gain = name.ends_with(".bn3.weight") ? 0.3f : 1.0f;
  fill_uniform(tensor, random, 0.7f * gain, 1.3f * gain);
}

void fill_bias(Tensor& tensor, const std::string& name, RandomStream& random) {
  if (name.ends_with(".se.conv_expand.bias")) return fill_constant(tensor, 2.0f);
  // -log((1 - p) / p) for p = 0.01, the prior of the focal loss.
  if (name.starts_with("class_net.predict.")) return fill_constant(tensor, -4.59512f);
  if (name.starts_with("box_net.predict.")) return fill_constant(tensor, 0.0f);
  // Around +1 swish is nearly linear and damps what goes far below; around 0 it would favour strong signals, layer by
  // layer.
  const bool is_batch_norm = name.find("bn") != std::string::npos;
  fill_uniform(tensor, random, is_batch_norm ? 0.5f : -0.3f, is_batch_norm ? 1.5f : 0.3f);
}

/// Makes every tensor that is asked for; keeps a handle on the bytes that the graph shares.
class RandomWeights : public WeightSource {
 public:
  RandomWeights(uint64_t seed, const Variant& variant) : seed_(seed), names_(variant) {}

  Tensor tensor(const std::string& name, const Shape& shape) override {
    Tensor tensor(DType::kF32, shape);
    RandomStream random(seed_, name);
    if (name.ends_with(".weight")) {
      fill_weight(tensor, name, random);
    } else if (name.ends_with(".bias")) {
      fill_bias(tensor, name, random);
    } else if (name.ends_with(".edge_weights")) {
      fill_uniform(tensor, random, 0.5f, 1.5f);
    }  // else statistics, which calibration sets
    tensors_.emplace(names_.of(name), tensor);
    return tensor;
  }

  /// By effdet's name.
  Tensor& at(const std::string& name) { return tensors_.at(names_.of(name)); }
  /// By the checkpoint's name.
  const Tensor& named(const std::string& name) const { return tensors_.at(name); }

 private:
  uint64_t seed_;
  TensorNames names_;
  std::unordered_map<std::string, Tensor> tensors_;
};

/// Brings a head's outputs to a deviation as trained networks have it, judged on the three finest levels.
void scale_predictions(Tensor& weight, std::span<const Tensor> outputs, double deviation) {
  const double found = standard_deviation(outputs.first(3));
  if (!(found > 0) || !std::isfinite(found))
    fail(ErrorCode::kInternal, "calibration gave outputs of deviation {}", found);
  for (float& value : weight.mutable_data<float>()) value *= static_cast<float>(deviation / found);
}

}  // namespace

std::vector<checkpoint::NamedTensor> init_checkpoint(const ModelConfig& config, uint64_t seed, ThreadPool* threads) {
  check_config(config);
  const Variant& variant = config.variant;
  ModelConfig calibration = config;
  calibration.batch = calibration_batch(variant);
  calibration.image_height = calibration.image_width = calibration_size(variant);

  RandomWeights weights(seed, variant);
  ir::Graph graph = build_graph(calibration, weights);
  RandomStream random(seed, "images");
  const Tensor images = synthetic_images(variant, calibration.batch, calibration.image_height, random);
  const std::vector<Tensor> outputs = calibrate_batch_norms(graph, images, threads);
  const auto levels = static_cast<size_t>(variant.levels());
  const std::string predict = std::string(predict_module(variant.separable)) + ".weight";
  scale_predictions(weights.at("class_net." + predict), std::span(outputs).first(levels), 1.5);
  scale_predictions(weights.at("box_net." + predict), std::span(outputs).subspan(levels), 0.3);

  std::vector<checkpoint::NamedTensor> tensors;
  for (const ExpectedTensor& expected : expected_tensors(config)) {
    const bool is_counter = expected.dtype == DType::kI64;
    tensors.push_back({expected.name, is_counter ? Tensor::scalar(int64_t{0}) : weights.named(expected.name)});
  }
  return tensors;
}

}  // namespace effdet::model

namespace effdet {

void init_checkpoint(const ModelOptions& options, uint64_t seed, const std::filesystem::path& path) {
  const model::ModelConfig config = model::config_for(options);
  ThreadPool threads(default_thread_count());
  checkpoint::write_checkpoint(path, model::init_checkpoint(config, seed, &threads));
}

}  // namespace effdet
