// Fused operators read and write codes: they take the Dequantize of their inputs and the Quantize of their outputs into
// themselves, so that between them no map of floats is written. What nothing absorbs stays.
#include <cmath>
#include <map>
#include <set>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "ops/fused/depthwise_conv.h"
#include "ops/fused/gate.h"
#include "ops/fused/mix.h"
#include "ops/fused/quantization.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using ops::Quantization;

/// Codes, and what they stand for.
struct Codes {
  ir::ValueId id;
  Quantization quantization;
};

class Absorber {
 public:
  explicit Absorber(ir::Graph& graph) : graph_(graph), uses_(graph), replacements_(graph) {}

  void run() {
    std::vector<ir::Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    producers_ = &old;
    for (size_t i = 0; i < old.size(); ++i) {
      ir::Node node = old[i];  // a copy: others look at the old one
      place(node);
    }
    replacements_.apply(graph_);
    graph_.compact();
  }

 private:
  void place(ir::Node& node) {
    if (is_fused(node, "Dequantize")) codes_[node.outputs[0]] = {node.inputs[0], *ops::quantization_of(node, "x")};
    if (is_fused(node, "Conv")) {
      take_layer_input<ops::ConvAttributes>(node);
      take_conv_output(node);
    } else if (is_fused(node, "DepthwiseConv")) {
      take_layer_input<ops::DepthwiseConvAttributes>(node);
      if (ops::Requantizer::takes(node_activation(node)) && !has_steps(node)) take_output(node);
    } else if (is_fused(node, "Mix")) {
      take_mix(node);
    } else if (is_fused(node, "Gate")) {
      take_gate(node);
    } else if (moves_codes(node)) {
      return place_mover(node);
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// The codes whose numbers a value holds.
  std::optional<Codes> codes_of(ir::ValueId id) const {
    const auto found = codes_.find(id);
    return found == codes_.end() ? std::nullopt : std::optional(found->second);
  }

  /// Where all that read a value round it to the same codes: those nodes. Codes that the caller reads keep their name,
  /// and so their node.
  std::vector<const ir::Node*> roundings(ir::ValueId id) const {
    std::vector<const ir::Node*> nodes;
    if (uses_.is_output(id)) return {};
    for (const int reader : uses_.readers(id)) {
      const ir::Node& node = (*producers_)[static_cast<size_t>(reader)];
      if (!is_fused(node, "Quantize") || uses_.is_output(node.outputs[0]) ||
          ops::quantization_of(node, "y") != ops::quantization_of(*first_of(nodes, node), "y"))
        return {};
      nodes.push_back(&node);
    }
    return nodes;
  }
  static const ir::Node* first_of(const std::vector<const ir::Node*>& nodes, const ir::Node& otherwise) {
    return nodes.empty() ? &otherwise : nodes.front();
  }

  static Activation node_activation(const ir::Node& node) { return ops::ActivationSteps::of(node).activation; }

  /// The node's first output becomes the codes to which it is rounded, where it is.
  bool take_output(ir::Node& node) {
    const auto nodes = roundings(node.outputs[0]);
    if (nodes.empty()) return false;
    ops::set_quantization(node, "y", *ops::quantization_of(*nodes.front(), "y"));
    node.attributes["output_type"] = std::string(dtype_name(DType::kU8));
    graph_.value(node.outputs[0]).dtype = DType::kU8;
    for (const ir::Node* rounding : nodes) replacements_.replace(rounding->outputs[0], node.outputs[0]);
    return true;
  }

  /// A layer of int8 weights reads codes, and its bias becomes one in steps of the products. In NCHW, which is the
  /// caller's layout, it reads floats.
  template <typename Attributes>
  void take_layer_input(ir::Node& node) {
    const auto x = codes_of(node.inputs[Attributes::kX]);
    const auto scale =
        node.inputs.size() > Attributes::kWeightScale ? node.inputs[Attributes::kWeightScale] : ir::kNoValue;
    if (!x || scale == ir::kNoValue || ops::MapLayouts::of(node).input == ir::Layout::kPlain) return;
    if constexpr (std::is_same_v<Attributes, ops::ConvAttributes>) {
      if (node.inputs[Attributes::kGate] != ir::kNoValue) return;
      if (graph_.value(node.inputs[Attributes::kWeights]).shape->at(1) > ops::kMaxCodesDepth) return;
    }
    const auto bias = bias_in_steps(node.inputs[Attributes::kBias], scale, x->quantization.scale);
    if (!bias) return;
    node.inputs[Attributes::kX] = x->id;
    node.inputs[Attributes::kBias] = graph_.add_constant(node.name + "_bias_codes", *bias);
    ops::set_quantization(node, "x", x->quantization);
    if (node.attributes.contains("output_type")) return;
    node.attributes["output_type"] = std::string(dtype_name(DType::kF32));
  }

  /// A float bias in steps of x_scale * weight_scale; nothing where it does not fit into 32 bits.
  std::optional<Tensor> bias_in_steps(ir::ValueId bias, ir::ValueId weight_scale, float x_scale) const {
    const Tensor &from = *graph_.constant(bias), &scales = *graph_.constant(weight_scale);
    Tensor steps(DType::kI32, from.shape());
    for (size_t i = 0; i < steps.data<int32_t>().size(); ++i) {
      const float step = x_scale * scales.data<float>()[i];
      const double count = std::nearbyint(double{from.data<float>()[i]} / step);
      if (!(std::abs(count) < 0x1p31)) return std::nullopt;
      steps.mutable_data<int32_t>()[i] = static_cast<int32_t>(count);
    }
    return steps;
  }

  void take_conv_output(ir::Node& node) {
    const auto a = ops::ConvAttributes::of(node);
    if (!ops::Requantizer::takes(a.activation.activation) || !a.activation.steps.empty()) return;
    constexpr size_t kResidual = ops::ConvAttributes::kResidual;
    const ir::ValueId residual = node.inputs.size() > kResidual ? node.inputs[kResidual] : ir::kNoValue;
    const auto codes = codes_of(residual);
    if (residual != ir::kNoValue && !codes) return;
    if (!take_output(node) || !codes) return;
    node.inputs[kResidual] = codes->id;
    ops::set_quantization(node, "residual", codes->quantization);
  }

  void take_mix(ir::Node& node) {
    std::vector<ir::ValueId> inputs;
    std::vector<Quantization> quantizations;
    for (const ir::ValueId id : node.inputs) {
      const auto codes = codes_of(id);
      if (!codes) return;
      inputs.push_back(codes->id);
      quantizations.push_back(codes->quantization);
    }
    if (!ops::Requantizer::takes(node_activation(node)) || !take_output(node)) return;
    node.attributes.erase("output_type");  // as the inputs'
    node.inputs = inputs;
    ops::set_quantizations(node, "x", quantizations);
  }

  void take_gate(ir::Node& node) {
    const auto x = codes_of(node.inputs[0]);
    const auto nodes = roundings(node.outputs[0]);
    if (!x || nodes.empty() || !ops::GateCodes::takes(x->quantization, *ops::quantization_of(*nodes.front(), "y")))
      return;
    take_output(node);
    node.attributes.erase("output_type");
    node.inputs[0] = x->id;
    ops::set_quantization(node, "x", x->quantization);
  }

  /// Moves codes, and dequantizes them after it for those who want numbers.
  void place_mover(ir::Node& node) {
    std::optional<Codes> first;
    std::vector<ir::ValueId> inputs = node.inputs;
    for (size_t i = 0; i < moved_inputs(node); ++i) {
      const auto codes = codes_of(node.inputs[i]);
      if (!codes || (first && first->quantization != codes->quantization)) {
        graph_.nodes.push_back(std::move(node));
        return;
      }
      if (!first) first = codes;
      inputs[i] = codes->id;
    }
    const ir::ValueId numbers = node.outputs[0];
    ir::Value moved{graph_.value(numbers).name + "_codes", DType::kU8, graph_.value(numbers).shape, std::nullopt};
    moved.layout = graph_.value(numbers).layout;
    node.inputs = inputs;
    node.outputs = {graph_.add_value(std::move(moved))};
    if (is_fused(node, "MaxPool")) ops::set_quantization(node, "x", first->quantization);
    ir::Node dequantize{
        "Dequantize", std::string(ir::kFusedDomain), node.name + "_dequantize", node.outputs, {numbers}, {}};
    ops::set_quantization(dequantize, "x", first->quantization);
    codes_[numbers] = {node.outputs[0], first->quantization};
    graph_.nodes.push_back(std::move(node));
    graph_.nodes.push_back(std::move(dequantize));
  }

  ir::Graph& graph_;
  const ir::Uses uses_;  // of the old nodes
  const std::vector<ir::Node>* producers_ = nullptr;
  passes::Replacements replacements_;
  std::map<ir::ValueId, Codes> codes_;  // by the numbers
};

}  // namespace

void absorb_quantization(ir::Graph& graph) { Absorber(graph).run(); }

}  // namespace effdet::compiler
