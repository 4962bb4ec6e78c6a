// Puts QuantizeLinear and DequantizeLinear around maps, weights and biases.
#include "quantize/quantize.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "ops/op.h"
#include "passes/rewrite.h"
#include "quantize/layers.h"
#include "quantize/ranges.h"
#include "quantize/sensitive_layers.h"
#include "quantize/weights.h"

namespace effdet::quantize {
namespace {

/// The layers that no pattern keeps in float32, by their nodes.
std::map<size_t, const LayerNode*> quantized_layers(const LayerGraph& layers, const Options& options) {
  std::set<std::string> names, kept;
  for (const LayerNode& one : layers.layers()) names.insert(one.layer.name);
  for (const std::string& pattern : options.keep_float) {
    if (names.contains(pattern)) {  // which may have the form of a pattern
      kept.insert(pattern);
      continue;
    }
    bool found = false;
    for (const std::string& name : names) {
      if (::fnmatch(pattern.c_str(), name.c_str(), 0) != 0) continue;
      kept.insert(name);
      found = true;
    }
    if (!found)
      fail(ErrorCode::kUsage,
           "--keep-float '{}' matches no layer that can be quantized; layers have the names of their nodes", pattern);
  }
  std::map<size_t, const LayerNode*> quantized;
  for (const LayerNode& one : layers.layers())
    if (!kept.contains(one.layer.name)) quantized.emplace(one.node, &one);
  return quantized;
}

class Quantizer {
 public:
  Quantizer(const ir::Graph& graph, const Calibration& calibration, const Options& options)
      : layers_(graph),
        calibration_(calibration),
        options_(options),
        quantized_(quantized_layers(layers_, options)),
        graph_(graph),
        names_(graph_) {}

  ir::Graph run() {
    if (!options_.weights_only) choose_maps();
    std::vector<ir::Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (const ir::ValueId id : graph_.inputs) add_codes(id);
    for (size_t i = 0; i < nodes.size(); ++i) {
      ir::Node& node = nodes[i];
      const auto layer = quantized_.find(i);
      const bool on_gate = std::ranges::binary_search(layers_.gate_convolutions(), i);
      if (on_gate || (layer != quantized_.end() && layer->second->layer.weights > 0)) quantize_constants(node, on_gate);
      for (ir::ValueId& id : node.inputs)
        if (const auto codes = maps_.find(id); codes != maps_.end()) id = codes->second.dequantized;
      const std::vector<ir::ValueId> outputs = node.outputs;
      graph_.nodes.push_back(std::move(node));
      for (const ir::ValueId id : outputs) add_codes(id);
    }
    graph_.compact();
    ops::infer_shapes(graph_);
    ir::verify(graph_);
    return std::move(graph_);
  }

 private:
  /// A map that is stored in codes; `dequantized` is what its readers read, once it has been added.
  struct Map {
    MapCodes codes;
    ir::ValueId scale, zero_point;  ///< those of the map that the range is of
    ir::ValueId dequantized = ir::kNoValue;
  };

  const MapStatistics& statistics(ir::ValueId id) const {
    const std::string& name = graph_.value(id).name;
    const auto found = calibration_.maps.find(name);
    if (found == calibration_.maps.end()) bad_input("the calibration is of another model: it has no map '{}'", name);
    return found->second;
  }

  /// All that layers read, and what these have their ranges from: pools keep codes, with the same scale.
  void choose_maps() {
    for (const auto& [index, layer] : quantized_)
      for (ir::ValueId id : layer->inputs) {
        if (maps_.contains(id)) continue;
        const ir::ValueId first = layers_.range_of(id);
        if (!maps_.contains(first)) {
          const MapCodes codes = choose_codes(statistics(first).histogram, options_);
          const std::string name = short_name("map");
          const ir::ValueId scale = add_constant(name + "_scale", Tensor::scalar(codes.scale));
          maps_[first] = {codes, scale, add_constant(name + "_zero_point", Tensor::scalar(codes.zero_point))};
        }
        for (; id != first; id = before(id)) maps_.emplace(id, maps_.at(first));
      }
  }

  /// What a pool or enlargement reads.
  ir::ValueId before(ir::ValueId id) const {
    return layers_.graph().nodes[static_cast<size_t>(layers_.uses().producer(id))].inputs[0];
  }

  /// A thousand values are new, and each name is in the file up to ten times: long names would be a tenth of it.
  std::string short_name(std::string_view kind) { return fmt::format("{}{}", kind, ++names_given_); }

  ir::ValueId add_constant(const std::string& name, Tensor tensor) {
    return graph_.add_constant(names_.make(name), std::move(tensor));
  }

  /// Appends a node that makes one value.
  ir::ValueId add_node(std::string_view op, const std::string& name, std::vector<ir::ValueId> inputs,
                       std::map<std::string, ir::Attribute> attributes = {}) {
    const ir::ValueId output = graph_.add_value({names_.make(name), DType::kUnknown, std::nullopt});
    graph_.nodes.push_back({std::string(op),
                            "",
                            graph_.value(output).name,
                            std::move(inputs),
                            {output},
                            std::move(attributes),
                            {},
                            {},
                            false});
    return output;
  }

  /// The codes of a map that has some, right after the node that makes it.
  void add_codes(ir::ValueId id) {
    const auto found = maps_.find(id);
    if (found == maps_.end()) return;
    const std::string name = short_name("map");
    Map& map = found->second;
    const ir::ValueId codes = add_node("QuantizeLinear", name + "_q", {id, map.scale, map.zero_point});
    map.dequantized = add_node("DequantizeLinear", name + "_dq", {codes, map.scale, map.zero_point});
  }

  /// Codes of a constant with one scale a channel and a zero point of 0, and what they stand for.
  ir::ValueId add_channels(const std::string& name, const Tensor& codes, const Tensor& scales) {
    const ir::ValueId values = add_constant(name + "_q", codes), scale = add_constant(name + "_scale", scales);
    return add_node("DequantizeLinear", name + "_dq", {values, scale}, {{"axis", int64_t{0}}});
  }

  /// Weights and bias of a convolution whose input is float32 yet. The means of gates' inputs are not known.
  void quantize_constants(ir::Node& node, bool on_gate) {
    const ir::ValueId weight_id = node.inputs[1];
    const Tensor weights = *graph_.constant(weight_id);
    node.inputs.resize(3, ir::kNoValue);
    std::vector<double> bias(static_cast<size_t>(weights.dim(0)));
    if (const Tensor* given = graph_.constant(node.inputs[2])) std::ranges::copy(given->data<float>(), bias.begin());
    const auto is_finite = [](double number) { return std::isfinite(number); };
    if (!std::ranges::all_of(weights.data<float>(), is_finite) || !std::ranges::all_of(bias, is_finite))
      bad_input("{}: its weights or biases hold NaN or infinity, which have no codes; is the checkpoint damaged?",
                ops::node_label(node));
    const auto input = maps_.find(node.inputs[0]);
    ChannelCodes codes = quantize_weights(weights);
    if (input != maps_.end()) widen_for_bias(weights, bias, input->second.codes.scale, codes);
    if (options_.bias_correction && calibration_.images > 0 && !on_gate) {
      const std::vector<double> errors =
          mean_errors(weights, codes, statistics(node.inputs[0]).channel_means, node.get_int("group", 1));
      for (size_t i = 0; i < bias.size(); ++i) bias[i] -= errors[i];
    }
    node.inputs[1] = shared_weights(weight_id, codes);
    const std::string bias_name = short_name("bias");
    if (input != maps_.end()) {
      const BiasCodes own = quantize_bias(bias, input->second.codes.scale, codes.scales);
      node.inputs[2] = add_channels(bias_name, own.codes, own.scales);
    } else {
      std::vector<float> values(bias.begin(), bias.end());
      node.inputs[2] = add_constant(bias_name, Tensor::from<float>({weights.dim(0)}, values));
    }
  }

  /// Layers that share weights, as those of heads on all levels, share their codes too.
  ir::ValueId shared_weights(ir::ValueId id, const ChannelCodes& codes) {
    const auto same = [](const Tensor& a, const Tensor& b) { return std::ranges::equal(a.bytes(), b.bytes()); };
    for (const SharedWeights& one : weights_[id])
      if (same(one.scales, codes.scales)) return one.dequantized;
    const ir::ValueId dequantized = add_channels(short_name("weights"), codes.codes, codes.scales);
    weights_[id].push_back({codes.scales, dequantized});
    return dequantized;
  }

  struct SharedWeights {
    Tensor scales;
    ir::ValueId dequantized;
  };

  const LayerGraph layers_;
  const Calibration& calibration_;
  const Options& options_;
  const std::map<size_t, const LayerNode*> quantized_;
  ir::Graph graph_;
  passes::UniqueNames names_;
  size_t names_given_ = 0;
  std::map<ir::ValueId, Map> maps_;
  std::map<ir::ValueId, std::vector<SharedWeights>> weights_;  ///< by the float weights
};

}  // namespace

std::vector<Layer> quantizable_layers(const ir::Graph& graph) {
  std::vector<Layer> result;
  const LayerGraph layers(graph);
  for (const LayerNode& one : layers.layers()) result.push_back(one.layer);
  return result;
}

std::vector<std::string> default_keep_float(const ir::Graph& graph) { return sensitive_layers(LayerGraph(graph)); }

std::vector<bool> computes_in_int8(const ir::Graph& graph, const Options& options) {
  const LayerGraph layers(graph);
  const std::map<size_t, const LayerNode*> quantized = quantized_layers(layers, options);
  std::vector<bool> result;
  for (const LayerNode& one : layers.layers())
    result.push_back(quantized.contains(one.node) && (!options.weights_only || one.layer.weights > 0));
  return result;
}

ir::Graph quantize(const ir::Graph& graph, const Calibration& calibration, const Options& options) {
  if (!(options.percentile > 50 && options.percentile <= 100))
    fail(ErrorCode::kUsage, "the percentile is {}; it must be above 50 and at most 100", options.percentile);
  return Quantizer(graph, calibration, options).run();
}

}  // namespace effdet::quantize
