// What scales and shifts the channels of a convolution with int8 weights goes into the weights' scales and the bias:
// BatchNormalization, and the division that exports of quantization-aware training have before it.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "ops/fused/quantization.h"
#include "passes/conv_affine.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using passes::ChannelAffine;

/// Nodes one after the other that only scale and shift channels.
struct AffineChain {
  ChannelAffine affine;  ///< of all together
  ir::ValueId output;
  std::vector<size_t> nodes;
};

class ScaleFolder {
 public:
  ScaleFolder(ir::Graph& graph, passes::RewriteBudget& budget) : graph_(graph), budget_(budget), uses_(graph) {}

  void run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (graph_.nodes[i].is("Conv")) fold(i);
    std::vector<ir::Node> nodes;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (const auto found = weights_.find(i); found != weights_.end()) nodes.push_back(std::move(found->second));
      if (!folded_.contains(i)) nodes.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(nodes);
    graph_.compact();
  }

 private:
  void fold(size_t index) {
    ir::Node& conv = graph_.nodes[index];
    const auto weights = quantized_weights(graph_, uses_, conv.inputs[1]);
    const ir::ValueId bias = conv.inputs.size() > 2 ? conv.inputs[2] : ir::kNoValue;
    if (!weights || (bias != ir::kNoValue && !is_float_constant(bias))) return;
    const AffineChain chain = chain_after(conv, weights->scales.size());
    if (chain.nodes.empty()) return;
    const auto scales = scaled(weights->scales, chain.affine);
    const auto shifts = shifted(bias, chain.affine);
    if (!scales || !shifts) return;
    const ir::ValueId codes = with_signs(weights->codes, chain.affine);
    if (codes == ir::kNoValue || !budget_.change(scales->byte_size() + shifts->byte_size())) return;
    const ir::ValueId scale = graph_.add_constant(conv.name + "_folded_scale", *scales);
    const ir::ValueId made =
        graph_.add_value({conv.name + "_folded_weights", DType::kF32, graph_.constant(codes)->shape(), {}});
    weights_[index] = {"DequantizeLinear", "",     conv.name + "_folded_weights",
                       {codes, scale},     {made}, {{"axis", int64_t{0}}}};
    conv.inputs.resize(3);
    conv.inputs[1] = made;
    conv.inputs[2] = graph_.add_constant(conv.name + "_folded_bias", *shifts);
    conv.outputs[0] = chain.output;
    folded_.insert(chain.nodes.begin(), chain.nodes.end());
  }

  bool is_float_constant(ir::ValueId id) const {
    return graph_.constant(id) != nullptr && graph_.constant(id)->dtype() == DType::kF32;
  }

  /// The nodes behind a convolution, as far as each is the only reader of what is before it.
  AffineChain chain_after(const ir::Node& conv, size_t channels) const {
    AffineChain chain{{std::vector<double>(channels, 1), std::vector<double>(channels, 0)}, conv.outputs[0], {}};
    const size_t rank = graph_.value(conv.inputs[1]).shape->size();
    for (int reader; (reader = uses_.sole_reader(chain.output)) >= 0;) {
      const ir::Node& node = graph_.nodes[static_cast<size_t>(reader)];
      const auto next = affine_of(node, chain.output, static_cast<int64_t>(channels), rank);
      if (!next) break;
      for (size_t c = 0; c < channels; ++c) {
        chain.affine.scale[c] *= next->scale[c];
        chain.affine.shift[c] = chain.affine.shift[c] * next->scale[c] + next->shift[c];
      }
      chain.output = node.outputs[0];
      chain.nodes.push_back(static_cast<size_t>(reader));
    }
    return chain;
  }

  std::optional<ChannelAffine> affine_of(const ir::Node& node, ir::ValueId map, int64_t channels, size_t rank) const {
    if (node.is("BatchNormalization")) {
      const bool infers = node.get_int("training_mode", 0) == 0 && node.outputs.size() == 1 && node.inputs[0] == map;
      return infers ? passes::batch_norm_affine(graph_, node, channels) : std::nullopt;
    }
    for (size_t side = 0; side < node.inputs.size(); ++side)
      if (node.inputs[side] == map) return passes::elementwise_affine(graph_, node, side, channels, rank);
    return std::nullopt;
  }

  /// Scales are positive: the sign goes into the codes. A channel that is multiplied by 0 keeps its scale.
  static std::optional<Tensor> scaled(const std::vector<float>& scales, const ChannelAffine& affine) {
    Tensor result(DType::kF32, {static_cast<int64_t>(scales.size())});
    const auto values = result.mutable_data<float>();
    for (size_t c = 0; c < scales.size(); ++c) {
      const double factor = affine.scale[c] == 0 ? 1 : std::abs(affine.scale[c]);
      values[c] = static_cast<float>(scales[c] * factor);
    }
    return std::ranges::all_of(values, ops::is_scale) ? std::optional(result) : std::nullopt;
  }

  std::optional<Tensor> shifted(ir::ValueId bias, const ChannelAffine& affine) const {
    Tensor result(DType::kF32, {static_cast<int64_t>(affine.shift.size())});
    const auto values = result.mutable_data<float>();
    for (size_t c = 0; c < values.size(); ++c) {
      const double old = bias == ir::kNoValue ? 0 : graph_.constant(bias)->data<float>()[c];
      values[c] = static_cast<float>(old * affine.scale[c] + affine.shift[c]);
    }
    const bool finite = std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
    return finite ? std::optional(result) : std::nullopt;
  }

  /// The codes, each channel times the sign of its factor; nothing (kNoValue) where -128 would become 128, or where the
  /// budget does not allow a copy.
  ir::ValueId with_signs(ir::ValueId id, const ChannelAffine& affine) {
    if (std::ranges::all_of(affine.scale, [](double factor) { return factor > 0; })) return id;
    const Tensor& codes = *graph_.constant(id);
    if (!budget_.change(codes.byte_size())) return ir::kNoValue;
    Tensor result(DType::kI8, codes.shape());
    const auto from = codes.data<int8_t>();
    const auto to = result.mutable_data<int8_t>();
    const size_t row = from.size() / affine.scale.size();
    for (size_t i = 0; i < from.size(); ++i) {
      const double factor = affine.scale[i / row];
      if (factor < 0 && from[i] == -128) return ir::kNoValue;
      to[i] = static_cast<int8_t>(from[i] * (factor > 0 ? 1 : factor < 0 ? -1 : 0));
    }
    return graph_.add_constant(graph_.value(id).name + "_signed", std::move(result));
  }

  ir::Graph& graph_;
  passes::RewriteBudget& budget_;
  const ir::Uses uses_;                 // of the graph as it was
  std::map<size_t, ir::Node> weights_;  ///< by the convolution: what makes its new weights
  std::set<size_t> folded_;
};

}  // namespace

void fold_into_scales(ir::Graph& graph, passes::RewriteBudget& budget) { ScaleFolder(graph, budget).run(); }

}  // namespace effdet::compiler
