#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused.h"

namespace effdet::compiler {
namespace {

/// The nodes of one squeeze-excite block, from the product backwards.
struct Block {
  ir::Node *expand, *reduce, *mean, *next;
  ir::ValueId x;
  std::vector<ir::Node*> depthwise;  ///< several where x is a Concat of their channels
};

/// The depthwise layers that make x, each for nobody else but a Concat; or none.
std::vector<ir::Node*> depthwise_layers(ir::Graph& graph, const ir::Uses& uses, ir::ValueId x) {
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

std::optional<Block> match(ir::Graph& graph, const ir::Uses& uses, ir::Node& product) {
  if (!product.is("Mul")) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const ir::ValueId x = product.inputs[i], gate = product.inputs[1 - i];
    ir::Node* expand = fused_producer(graph, uses, gate, "Conv");
    if (expand == nullptr || uses.sole_reader(gate) < 0 || !is_plain_pointwise(*expand)) continue;
    ir::Node* reduce = fused_producer(graph, uses, expand->inputs[0], "Conv");
    if (reduce == nullptr || uses.sole_reader(expand->inputs[0]) < 0 || !is_plain_pointwise(*reduce)) continue;
    const int mean = uses.producer(reduce->inputs[0]);
    if (mean < 0 || uses.sole_reader(reduce->inputs[0]) < 0) continue;
    ir::Node& squeeze = graph.nodes[static_cast<size_t>(mean)];
    if (squeeze.inputs[0] != x || !is_global_mean(graph, squeeze)) continue;
    const std::vector<ir::Node*> depthwise = depthwise_layers(graph, uses, x);
    const int reader = uses.sole_reader(product.outputs[0]);
    if (depthwise.empty() || reader < 0) continue;
    // One gate for all channels would be legal, and is none of ours.
    if (expand->get_int("out_channels", 0) != graph.value(x).shape->at(1)) continue;
    ir::Node& next = graph.nodes[static_cast<size_t>(reader)];
    if (next.domain != ir::kFusedDomain || next.op != "Conv" || !is_plain_pointwise(next)) continue;
    return Block{expand, reduce, &squeeze, &next, x, depthwise};
  }
  return std::nullopt;
}

/// A pointwise Conv's packed weights as [in, out].
ir::ValueId as_matrix(ir::Graph& graph, const ir::Node& conv, int64_t in) {
  const int64_t out = conv.get_int("out_channels", 0);
  const Tensor weights = ops::unpack_conv_weights(*graph.constant(conv.inputs[1]), in, out, 1, 1);
  Tensor matrix(DType::kF32, {in, out});
  const auto from = weights.data<float>();
  const auto to = matrix.mutable_data<float>();
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i) to[static_cast<size_t>(i * out + o)] = from[static_cast<size_t>(o * in + i)];
  return graph.add_constant(conv.name + "_matrix", matrix);
}

ir::ValueId as_bias(ir::Graph& graph, const ir::Node& conv) {
  const auto padded = graph.constant(conv.inputs[2])->data<float>();
  const int64_t out = conv.get_int("out_channels", 0);
  return graph.add_constant(conv.name + "_bias", Tensor::from<float>({out}, padded.first(static_cast<size_t>(out))));
}

/// The depthwise layers' means; of several, one behind the other.
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

void fuse(ir::Graph& graph, const Block& block) {
  const Shape x = *graph.value(block.x).shape;
  const int64_t reduced = block.reduce->get_int("out_channels", 0);
  const ir::ValueId mean = take_means(graph, block);
  const std::vector<ir::ValueId> inputs = {mean, as_matrix(graph, *block.reduce, x[1]), as_bias(graph, *block.reduce),
                                           as_matrix(graph, *block.expand, reduced), as_bias(graph, *block.expand)};
  // The expanding layer becomes the whole block: it stands behind all that the block reads, and before its reader.
  const ir::ValueId gate = graph.add_value({block.expand->name + "_gate", DType::kF32, Shape{x[0], x[1]}, {}});
  become_fused(*block.expand, "SqueezeExcite", inputs,
               {{"activation", block.reduce->get_string("activation", "none")},
                {"gate_activation", block.expand->get_string("activation", "none")}});
  block.expand->outputs = {gate};
  block.next->inputs[0] = block.x;
  block.next->inputs.insert(block.next->inputs.end(), {ir::kNoValue, gate});
}

}  // namespace

void fuse_squeeze_excite(ir::Graph& graph) {
  const ir::Uses uses(graph);  // stays true for the patterns that are left: blocks do not overlap
  for (ir::Node& node : graph.nodes)
    if (const auto block = match(graph, uses, node)) fuse(graph, *block);
  graph.compact();
}

}  // namespace effdet::compiler
