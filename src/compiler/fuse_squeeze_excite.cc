// The two small layers after a depthwise layer's mean become ai.effdet::SqueezeExcite, and their product a Conv's gate.
#include <map>
#include <memory>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "ops/fused/packing.h"

namespace effdet::compiler {
namespace {

/// The nodes of one squeeze-excite block, from the product backwards.
struct Block {
  ir::Node *expand, *reduce, *mean;
  ir::Node* rescale;  ///< a Mul of the gate by constant factors of the channels; null for none
  ir::Node* product;
  ir::Node* next;  ///< a Conv that takes the gate; null where the product becomes a Gate
  ir::ValueId x;
  std::vector<ir::Node*> depthwise;  ///< several where x is a Concat of their channels
};

/// The depthwise layers that make x, each for nobody else but a Concat; or none. Where x was rounded to codes and back,
/// the mean is of codes, as the product is.
std::vector<ir::Node*> depthwise_layers(ir::Graph& graph, const ir::Uses& uses, ir::ValueId x) {
  x = before_rounding(graph, uses, x);
  const int producer = uses.producer(x);
  if (producer < 0) return {};
  const ir::Node& last = graph.nodes[static_cast<size_t>(producer)];
  std::vector<ir::ValueId> made{x};
  if (last.is("Concat") && last.get_int("axis", 0) == 1) made = last.inputs;
  std::vector<ir::Node*> layers;
  for (const ir::ValueId id : made) {
    ir::Node* layer = fused_producer(graph, uses, id, "DepthwiseConv");
    if (layer == nullptr || layer->outputs.size() != 1 || (id != x && uses.sole_reader(id) < 0)) return {};
    layers.push_back(layer);
  }
  return layers;
}

/// The pointwise Conv that alone reads a product, and has neither residual nor gate; or null.
ir::Node* gated_layer(ir::Graph& graph, const ir::Uses& uses, ir::ValueId product) {
  const int reader = uses.sole_reader(product);
  if (reader < 0) return nullptr;
  ir::Node& next = graph.nodes[static_cast<size_t>(reader)];
  return is_fused(next, "Conv") && is_plain_pointwise(next) ? &next : nullptr;
}

/// The Mul of a gate [b, c, 1, 1] by constants [1, c, 1, 1], its first input the gate: what equalisation of channels
/// leaves. Null where a value is no such product.
ir::Node* rescaling(ir::Graph& graph, const ir::Uses& uses, ir::ValueId product) {
  ir::Node* mul = ir::sole_producer(graph, uses, product);
  const auto& shape = graph.value(product).shape;
  if (mul == nullptr || !mul->is("Mul") || !is_static_map(graph.value(product))) return nullptr;
  if (graph.constant(mul->inputs[0]) != nullptr) std::swap(mul->inputs[0], mul->inputs[1]);
  const Tensor* factors = graph.constant(mul->inputs[1]);
  const Shape wanted{1, (*shape)[1], 1, 1};
  return factors != nullptr && factors->shape() == wanted && graph.value(mul->inputs[0]).shape == shape ? mul : nullptr;
}

std::optional<Block> match(ir::Graph& graph, const ir::Uses& uses, ir::Node& product) {
  if (!product.is("Mul")) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const ir::ValueId x = product.inputs[i];
    ir::Node* rescale = rescaling(graph, uses, product.inputs[1 - i]);
    const ir::ValueId gate = rescale == nullptr ? product.inputs[1 - i] : rescale->inputs[0];
    ir::Node* expand = fused_producer(graph, uses, gate, "Conv");
    if (expand == nullptr || uses.sole_reader(gate) < 0 || !is_plain_pointwise(*expand)) continue;
    ir::Node* reduce = fused_producer(graph, uses, expand->inputs[0], "Conv");
    if (reduce == nullptr || uses.sole_reader(expand->inputs[0]) < 0 || !is_plain_pointwise(*reduce)) continue;
    if (has_steps(*reduce) || has_weight_scale(*reduce) != has_weight_scale(*expand)) continue;
    const int mean = uses.producer(reduce->inputs[0]);
    if (mean < 0 || uses.sole_reader(reduce->inputs[0]) < 0) continue;
    ir::Node& squeeze = graph.nodes[static_cast<size_t>(mean)];
    if (squeeze.inputs[0] != x || !is_global_mean(graph, squeeze)) continue;
    const std::vector<ir::Node*> depthwise = depthwise_layers(graph, uses, x);
    if (depthwise.empty()) continue;
    // One gate for all channels would be legal, and is none of ours.
    if (ops::ConvAttributes::of(*expand).out_channels != graph.value(x).shape->at(1)) continue;
    ir::Node* next = gated_layer(graph, uses, product.outputs[0]);
    const bool is_rounded = before_rounding(graph, uses, x) != x;
    if (next == nullptr && !is_rounded) continue;
    return Block{expand, reduce, &squeeze, rescale, &product, is_rounded ? nullptr : next, x, depthwise};
  }
  return std::nullopt;
}

/// The weights of blocks as SqueezeExcite takes them. Blocks may share them.
class Matrices {
 public:
  Matrices(ir::Graph& graph, const ir::Uses& uses, passes::RewriteBudget& budget)
      : graph_(graph), uses_(uses), budget_(budget) {}

  /// A pointwise Conv's packed weights as [in, out]; empty where the budget does not allow it.
  Tensor weights(const ir::Node& conv, int64_t in) {
    const int64_t out = ops::ConvAttributes::of(conv).out_channels;
    const Tensor& packed = *graph_.constant(conv.inputs[1]);
    Tensor& matrix = matrices_[{conv.inputs[1], out}];
    if (matrix.empty()) {
      const uint64_t bytes = static_cast<uint64_t>(in * out) * dtype_size(packed.dtype());
      if (!budget_.change(bytes, uses_.sole_reader(conv.inputs[1]) >= 0 ? packed.byte_size() : 0)) return {};
      matrix = transposed(ops::unpack_conv_weights(packed, in, out, 1, 1));
    }
    return matrix;
  }

 private:
  /// [o, i, 1, 1] as [i, o].
  static Tensor transposed(const Tensor& weights) {
    const int64_t out = weights.dim(0), in = weights.dim(1);
    Tensor matrix(DType::kF32, {in, out});
    const Tensor floats = weights.to(DType::kF32);
    const auto from = floats.data<float>();
    const auto to = matrix.mutable_data<float>();
    for (int64_t o = 0; o < out; ++o)
      for (int64_t i = 0; i < in; ++i) to[static_cast<size_t>(i * out + o)] = from[static_cast<size_t>(o * in + i)];
    return matrix.to(weights.dtype());
  }

  ir::Graph& graph_;
  const ir::Uses& uses_;
  passes::RewriteBudget& budget_;
  std::map<std::pair<ir::ValueId, int64_t>, Tensor> matrices_;  ///< by packed weights and output channels
};

/// A Conv's bias, or the scales of its weights, without the padding: a part of the same bytes.
Tensor without_padding(const ir::Graph& graph, const ir::Node& conv, size_t input) {
  const auto padded = std::make_shared<const Tensor>(*graph.constant(conv.inputs[input]));
  return Tensor(DType::kF32, {ops::ConvAttributes::of(conv).out_channels}, {padded, padded->bytes().data()});
}

/// The depthwise layers' means; of several, one after the other.
ir::ValueId take_means(ir::Graph& graph, const Block& block) {
  std::vector<ir::ValueId> means;
  for (ir::Node* layer : block.depthwise) {
    const Shape shape = *graph.value(layer->outputs[0]).shape;
    means.push_back(graph.add_value({layer->name + "_mean", DType::kF32, Shape{shape[0], shape[1]}, {}}));
    layer->outputs.push_back(means.back());
  }
  if (means.size() == 1) return means[0];
  const Shape shape = *graph.value(block.x).shape;
  block.mean->op = "Concat";
  block.mean->inputs = means;
  block.mean->attributes = {{"axis", int64_t{1}}};
  block.mean->outputs = {graph.add_value({block.mean->name + "_means", DType::kF32, Shape{shape[0], shape[1]}, {}})};
  return block.mean->outputs[0];
}

void fuse(ir::Graph& graph, Matrices& matrices, const Block& block) {
  const Shape x = *graph.value(block.x).shape;
  const Tensor reduce = matrices.weights(*block.reduce, x[1]);
  if (reduce.empty()) return;
  const Tensor expand = matrices.weights(*block.expand, ops::ConvAttributes::of(*block.reduce).out_channels);
  if (expand.empty()) return;
  std::vector<ir::ValueId> inputs{take_means(graph, block)};
  for (const auto& [conv, matrix] : {std::pair{block.reduce, &reduce}, std::pair{block.expand, &expand}}) {
    inputs.push_back(graph.add_constant(conv->name + "_matrix", *matrix));
    inputs.push_back(
        graph.add_constant(conv->name + "_bias", without_padding(graph, *conv, ops::ConvAttributes::kBias)));
  }
  for (const ir::Node* conv : {block.reduce, block.expand})
    if (has_weight_scale(*conv))
      inputs.push_back(
          graph.add_constant(conv->name + "_scale", without_padding(graph, *conv, ops::ConvAttributes::kWeightScale)));
  // The expanding layer becomes the whole block: it stands after all that the block reads, and before its reader.
  ir::ValueId gate = graph.add_value({block.expand->name + "_gate", DType::kF32, Shape{x[0], x[1]}, {}});
  become_fused(*block.expand, "SqueezeExcite", inputs,
               {{"activation", block.reduce->get_string("activation", "none")},
                {"gate_activation", block.expand->get_string("activation", "none")}});
  block.expand->outputs = {gate};
  if (block.rescale != nullptr) {
    ir::Node& rescale = *block.rescale;
    const Tensor factors = graph.constant(rescale.inputs[1])->reshaped({1, x[1]});
    rescale.inputs = {gate, graph.add_constant(rescale.name + "_factors", factors)};
    gate = graph.add_value({rescale.name + "_rescaled", DType::kF32, Shape{x[0], x[1]}, {}});
    rescale.outputs = {gate};
  }
  if (block.next == nullptr) return become_fused(*block.product, "Gate", {block.x, gate}, {});
  constexpr size_t kGate = ops::ConvAttributes::kGate;
  block.next->inputs[0] = block.x;
  block.next->inputs.resize(std::max(block.next->inputs.size(), kGate + 1), ir::kNoValue);
  block.next->inputs[kGate] = gate;
}

}  // namespace

void fuse_squeeze_excite(ir::Graph& graph, passes::RewriteBudget& budget) {
  const ir::Uses uses(graph);  // stays true for the patterns that are left: blocks do not overlap
  Matrices matrices(graph, uses, budget);
  for (ir::Node& node : graph.nodes)
    if (const auto block = match(graph, uses, node)) fuse(graph, matrices, *block);
  graph.compact();
}

}  // namespace effdet::compiler
