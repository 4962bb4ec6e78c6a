// Finds convolutions, sums and gates, as the compiler will fuse them.
#include "quantize/layers.h"

#include <algorithm>
#include <set>

#include "ops/fused/mix.h"
#include "ops/fused/quantization.h"
#include "ops/resize.h"

namespace effdet::quantize {
namespace {

bool is_sum(const ir::Node& node) { return node.is("Add") || node.is("Sum"); }

bool is_one_step_activation(const ir::Node& node) {
  constexpr std::string_view kOperators[] = {"Relu",        "Clip",    "LeakyRelu", "HardSwish",
                                             "HardSigmoid", "Sigmoid", "Mish"};
  return std::ranges::any_of(kOperators, [&](std::string_view op) { return node.is(op); });
}

/// Means over whole maps.
bool is_global_pool(const ir::Graph& graph, const ir::Node& node) {
  if (node.is("GlobalAveragePool") || node.is("GlobalMaxPool")) return true;
  if (!node.is("ReduceMean") && !node.is("ReduceMax")) return false;
  const auto& shape = graph.value(node.outputs[0]).shape;
  return shape && shape->size() == 4 && (*shape)[2] == 1 && (*shape)[3] == 1;
}

bool is_all_ones(const std::vector<int64_t>& list) {
  return std::ranges::all_of(list, [](int64_t x) { return x == 1; });
}

}  // namespace

LayerGraph::LayerGraph(const ir::Graph& graph) : graph_(graph), uses_(graph) {
  find_vectors();
  find_useful();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    if (node.is("Conv")) add_conv(i);
    if (node.is("Mul")) add_gate(i);
    if (is_sum(node)) add_sum(i);
  }
}

const ir::Node* LayerGraph::producer(ir::ValueId id) const {
  const int index = uses_.producer(id);
  return index < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(index)];
}

/// Images, channels, height, width, in float32; how many images may be open.
bool LayerGraph::is_map(ir::ValueId id) const {
  const ir::Value& value = graph_.value(id);
  return !graph_.is_given(id) && value.dtype == DType::kF32 && value.shape && value.shape->size() == 4 &&
         std::all_of(value.shape->begin() + 1, value.shape->end(), [](int64_t side) { return side > 0; }) &&
         !is_gate(id);
}

bool LayerGraph::is_gate(ir::ValueId id) const { return is_vector_[static_cast<size_t>(id)]; }

void LayerGraph::find_vectors() {
  is_vector_.assign(graph_.value_count(), false);
  for (const ir::Node& node : graph_.nodes) {
    bool all = true, any = false;
    for (const ir::ValueId id : node.inputs) {
      if (id == ir::kNoValue || graph_.is_given(id)) continue;
      any = true;
      all = all && is_gate(id);
    }
    if (!is_global_pool(graph_, node) && !(all && any)) continue;
    for (const ir::ValueId id : node.outputs) is_vector_[static_cast<size_t>(id)] = true;
  }
}

/// Backwards from the convolutions: what only decodes boxes or scores is none of ours.
void LayerGraph::find_useful() {
  is_useful_.assign(graph_.value_count(), false);
  for (size_t i = graph_.nodes.size(); i-- > 0;) {
    const ir::Node& node = graph_.nodes[i];
    const bool useful = (node.is("Conv") && is_map(node.inputs[0])) || std::ranges::any_of(node.outputs, [&](auto id) {
                          return id != ir::kNoValue && is_useful_[static_cast<size_t>(id)];
                        });
    if (!useful) continue;
    for (const ir::ValueId id : node.inputs)
      if (id != ir::kNoValue) is_useful_[static_cast<size_t>(id)] = true;
  }
}

ir::ValueId LayerGraph::activated(ir::ValueId value) const {
  if (uses_.is_output(value)) return value;
  const std::vector<int>& readers = uses_.readers(value);
  const auto node = [&](size_t i) -> const ir::Node& { return graph_.nodes[static_cast<size_t>(readers[i])]; };
  if (readers.size() == 1 && is_one_step_activation(node(0))) return node(0).outputs[0];
  if (readers.size() != 2) return value;
  // x times a function of x: swish, hard-swish.
  for (size_t i = 0; i < 2; ++i) {
    const ir::Node &inner = node(i), &product = node(1 - i);
    if (product.is("Mul") && inner.inputs[0] == value && uses_.sole_reader(inner.outputs[0]) == readers[1 - i])
      return product.outputs[0];
  }
  return value;
}

ir::ValueId LayerGraph::range_of(ir::ValueId map) const {
  for (const ir::Node* node = producer(map); node != nullptr; node = producer(map)) {
    if (!node->is("MaxPool") && !ops::is_nearest_resize(*node)) break;
    map = node->inputs[0];
  }
  return map;
}

std::vector<ir::ValueId> LayerGraph::maps() const {
  std::set<ir::ValueId> found;
  for (const LayerNode& layer : layers_)
    for (const ir::ValueId id : layer.inputs) found.insert({id, range_of(id)});
  return {found.begin(), found.end()};
}

void LayerGraph::add(size_t index, std::string_view op, std::vector<ir::ValueId> inputs, int64_t products,
                     int64_t weights) {
  const ir::Node& node = graph_.nodes[index];
  Layer layer{node.name, std::string(op), {}, graph_.value(activated(node.outputs[0])).name, products, weights};
  for (const ir::ValueId id : inputs) layer.inputs.push_back(graph_.value(id).name);
  layers_.push_back({std::move(layer), index, std::move(inputs)});
}

void LayerGraph::add_conv(size_t index) {
  const ir::Node& node = graph_.nodes[index];
  const Tensor* weights = graph_.constant(node.inputs[1]);
  const ir::ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : ir::kNoValue;
  if (weights == nullptr || weights->rank() != 4 || weights->dtype() != DType::kF32 || weights->numel() == 0) return;
  if (is_gate(node.inputs[0])) gate_convolutions_.push_back(index);
  if (!is_map(node.inputs[0])) return;
  if (bias != ir::kNoValue && (graph_.constant(bias) == nullptr || graph_.value(bias).dtype != DType::kF32)) return;
  if (!is_all_ones(node.get_ints("dilations", {1, 1}))) return;
  const int64_t depth = weights->numel() / weights->dim(0);
  if (depth > ops::kMaxCodesDepth) return;
  const int64_t group = node.get_int("group", 1), channels = (*graph_.value(node.inputs[0]).shape)[1];
  const bool depthwise = group > 1 && group == channels && weights->dim(0) == channels;
  const Shape& out = *graph_.value(node.outputs[0]).shape;
  add(index, depthwise ? kDepthwiseConv : kConv, {node.inputs[0]}, out[1] * out[2] * out[3] * depth, weights->numel());
}

void LayerGraph::add_gate(size_t index) {
  const ir::Node& node = graph_.nodes[index];
  for (size_t i = 0; i < 2; ++i) {
    const ir::ValueId map = node.inputs[i], gate = node.inputs[1 - i];
    if (!is_map(map) || !is_gate(gate) || !is_useful_[static_cast<size_t>(node.outputs[0])]) continue;
    const Shape &shape = *graph_.value(map).shape, &factors = graph_.value(gate).shape.value_or(Shape{});
    if (factors != Shape{shape[0], shape[1], 1, 1}) continue;
    return add(index, kGate, {map}, shape[1] * shape[2] * shape[3], 0);
  }
}

/// The maps of a sum, behind constant factors and enlargements, which it takes into itself.
bool LayerGraph::collect_terms(const ir::Node& sum, std::vector<ir::ValueId>& terms, bool& special,
                               size_t depth) const {
  if (depth == ops::kMaxMixInputs) return false;
  for (ir::ValueId id : sum.inputs) {
    const auto inner = [&] { return uses_.sole_reader(id) >= 0 ? producer(id) : nullptr; };
    const ir::Node* node = inner();
    if (node != nullptr && is_sum(*node)) {
      if (!collect_terms(*node, terms, special, depth + 1)) return false;
      continue;
    }
    if (node != nullptr && node->is("Mul")) {
      for (size_t i = 0; i < 2; ++i) {
        const Tensor* factor = graph_.constant(node->inputs[i]);
        if (factor == nullptr || factor->numel() != 1) continue;
        id = node->inputs[1 - i];
        special = true;
        node = inner();
        break;
      }
    }
    if (node != nullptr && ops::is_nearest_resize(*node)) {
      id = node->inputs[0];
      special = true;
    } else if (graph_.value(id).shape != graph_.value(sum.outputs[0]).shape) {
      return false;  // a broadcast
    }
    if (!is_map(id)) return false;
    terms.push_back(id);
  }
  return terms.size() <= ops::kMaxMixInputs;
}

void LayerGraph::add_sum(size_t index) {
  const ir::Node& root = graph_.nodes[index];
  if (!is_map(root.outputs[0]) || !is_useful_[static_cast<size_t>(root.outputs[0])]) return;
  const int reader = uses_.sole_reader(root.outputs[0]);
  if (reader >= 0 && is_sum(graph_.nodes[static_cast<size_t>(reader)])) return;  // a part of that
  std::vector<ir::ValueId> terms;
  bool special = false;
  if (!collect_terms(root, terms, special, 0)) return;
  // A convolution's own sum with a residual stays one step: no codes between.
  if (terms.size() == 2 && !special && activated(root.outputs[0]) == root.outputs[0]) {
    const auto fused = std::ranges::find_if(terms, [&](ir::ValueId id) {
      const ir::Node* node = producer(id);
      return node != nullptr && node->is("Conv") && uses_.sole_reader(id) >= 0;
    });
    if (fused != terms.end()) terms.erase(fused);
  }
  add(index, kSum, terms, 0, 0);
}

}  // namespace effdet::quantize
