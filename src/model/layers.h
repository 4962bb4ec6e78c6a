// The layers that EfficientDet is made of, as ONNX nodes. Weights are looked up apart from their use, because the heads
// use theirs once a level and because checkpoints list them in another order than they are used in.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// A 3x3 convolution, or a depthwise 3x3 one followed by a pointwise one without activation between.
struct FilterWeights {
  std::optional<ConvWeights> depthwise;
  ConvWeights last;
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
  ConvWeights conv_weights(const std::string& module, int64_t in, int64_t out, int kernel, bool bias,
                           int64_t groups = 1);
  ConvWeights depthwise_weights(const std::string& module, int64_t channels, int kernel);
  FilterWeights filter_weights(const std::string& module, int64_t in, int64_t out, bool bias, bool separable);
  BatchNormWeights batch_norm_weights(const std::string& module, int64_t channels, float epsilon);

  Feature conv(const Feature& x, const ConvWeights& weights, int stride, Padding padding, const std::string& node);
  /// At stride 1.
  Feature filter(const Feature& x, const FilterWeights& weights, Padding padding, const std::string& node);
  Feature batch_norm(const Feature& x, const BatchNormWeights& weights, const std::string& node);
  Feature activate(const Feature& x, Activation activation, const std::string& node);
  Feature add(const Feature& a, const Feature& b, const std::string& node);
  /// x times a constant.
  Feature scale(const Feature& x, float factor, const std::string& factor_name, const std::string& node);
  /// x times a gate per channel, computed from the channel's mean by two 1x1 convolutions; a hard gate is a hard
  /// sigmoid.
  Feature squeeze_excite(const Feature& x, const std::string& module, int64_t squeezed, Activation activation,
                         bool hard_gate);
  Feature max_pool(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                   const std::string& node);
  /// Zeros around a map count.
  Feature average_pool(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
                       const std::string& node);
  /// Zeros around x, as many as a window of that size and stride needs.
  Feature pad(const Feature& x, int kernel_h, int kernel_w, int stride_h, int stride_w, Padding padding,
              const std::string& node);
  /// Nearest neighbour: source index floor(i * size / target size). Bilinear: half-pixel centres, no antialiasing.
  Feature resize(const Feature& x, int64_t height, int64_t width, bool bilinear, const std::string& node);
  /// Consecutive channels, so many each.
  std::vector<Feature> split(const Feature& x, const std::vector<int64_t>& channels, const std::string& node);
  Feature concat(const std::vector<Feature>& parts, const std::string& node);

  /// Makes x the next output of the graph, under this name.
  void output(const Feature& x, const std::string& name);

 private:
  ir::ValueId weight(const std::string& name, const Shape& shape);
  Feature hard_sigmoid(const Feature& x, const std::string& node);
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
