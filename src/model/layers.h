// The layers that EfficientDet is made of, as ONNX nodes. Weights are looked up apart from their use, because the heads
// use theirs once a level and because checkpoints list them in another order than they are used in.
#pragma once

#include <string>

#include "ir/graph.h"
#include "model/variants.h"
#include "model/weights.h"

namespace effdet::model {

/// A feature map of the graph under construction; the batch is the same for all.
struct Feature {
  ir::ValueId id = ir::kNoValue;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
};

struct ConvWeights {
  ir::ValueId weight = ir::kNoValue;
  ir::ValueId bias = ir::kNoValue;
  int64_t out_channels = 0;
  int kernel = 1;
  int64_t groups = 1;
};

struct BatchNormWeights {
  ir::ValueId scale, bias, mean, variance;
  float epsilon;
};

/// A depthwise convolution followed by a pointwise one, no activation between.
struct SeparableConvWeights {
  ConvWeights depthwise, pointwise;
};

/// "backbone.blocks.0" -> "/backbone/blocks/0": the name of a module's nodes.
std::string node_path(const std::string& module);

/// Appends layers to a graph. `node` arguments are node names without the operator, e.g. "/fpn/cell/0/fnode/3/act".
class Layers {
 public:
  Layers(ir::Graph& graph, WeightSource& weights, int64_t batch) : graph_(graph), weights_(weights), batch_(batch) {}

  Feature input(const std::string& name, int64_t channels, int64_t height, int64_t width);

  /// A tensor that the graph does not hold as it is, e.g. because its content is normalised first.
  Tensor raw_weight(const std::string& name, const Shape& shape) { return weights_.tensor(name, shape); }
  ConvWeights conv_weights(const std::string& module, int64_t in, int64_t out, int kernel, bool bias);
  ConvWeights depthwise_weights(const std::string& module, int64_t channels, int kernel);
  SeparableConvWeights separable_weights(const std::string& module, int64_t in, int64_t out, bool bias);
  BatchNormWeights batch_norm_weights(const std::string& module, int64_t channels, float epsilon);

  Feature conv(const Feature& x, const ConvWeights& weights, int stride, Padding padding, const std::string& node);
  /// 3x3 and 1x1 at stride 1.
  Feature separable_conv(const Feature& x, const SeparableConvWeights& weights, Padding padding,
                         const std::string& node);
  Feature batch_norm(const Feature& x, const BatchNormWeights& weights, const std::string& node);
  Feature activate(const Feature& x, Activation activation, const std::string& node);
  Feature add(const Feature& a, const Feature& b, const std::string& node);
  /// x times a constant.
  Feature scale(const Feature& x, float factor, const std::string& factor_name, const std::string& node);
  /// x times a gate per channel, computed from the channel's mean by two 1x1 convolutions.
  Feature squeeze_excite(const Feature& x, const std::string& module, int64_t squeezed, Activation activation);
  Feature max_pool(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                   const std::string& node);
  /// Nearest neighbour: source index floor(i * size / target size).
  Feature resize(const Feature& x, int64_t height, int64_t width, const std::string& node);

  /// Makes x the next output of the graph, under this name.
  void output(const Feature& x, const std::string& name);

 private:
  ir::ValueId weight(const std::string& name, const Shape& shape);
  /// The constant of that name, made by the first caller.
  ir::ValueId shared_constant(const std::string& name, const Tensor& tensor);
  Feature append(const char* op, const std::string& node, std::vector<ir::ValueId> inputs, Feature shape,
                 std::map<std::string, ir::Attribute> attributes = {});

  ir::Graph& graph_;
  WeightSource& weights_;
  int64_t batch_;
  std::map<std::string, ir::ValueId> shared_;
};

}  // namespace effdet::model
