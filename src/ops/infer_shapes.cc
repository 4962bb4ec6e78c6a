#include <map>

#include "base/checked.h"
#include "ops/op.h"

namespace effdet::ops {
namespace {

/// Shape arithmetic works on a handful of numbers; anything larger is data.
constexpr int64_t kMaxTracked = 64;

bool is_static(const std::optional<Shape>& shape) {
  return shape && checked_numel(*shape).has_value();  // a negative dimension is unknown
}

bool is_small(const Inferred& output) {
  return is_static(output.shape) && *checked_numel(*output.shape) <= static_cast<uint64_t>(kMaxTracked);
}

/// Infers a graph in order and remembers the small tensors whose content is known.
class ShapeWalk {
 public:
  explicit ShapeWalk(ir::Graph& graph) : graph_(graph) {}

  void visit(const ir::Node& node) {
    std::vector<InputInfo> infos;
    for (ir::ValueId id : node.inputs) infos.push_back(info(id));
    const std::vector<Inferred> outputs = infer_node(node, graph_.opset, infos);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      graph_.value(node.outputs[i]).dtype = outputs[i].dtype;
      graph_.value(node.outputs[i]).shape = outputs[i].shape;
    }
    if (node.outputs.size() == 1 && is_small(outputs[0])) track(node, infos);
  }

 private:
  InputInfo info(ir::ValueId id) const {
    if (id == ir::kNoValue) return {};
    const ir::Value& value = graph_.value(id);
    if (value.constant) return {true, value.constant->dtype(), value.constant->shape(), &*value.constant};
    const auto known = known_.find(id);
    return {true, value.dtype, value.shape, known == known_.end() ? nullptr : &known->second};
  }

  /// Computes the node's output where its inputs are known; Shape and Size need only their input's shape.
  void track(const ir::Node& node, std::span<const InputInfo> infos) {
    if (node.is("Shape") || node.is("Size")) {
      if (!is_static(infos[0].shape)) return;
      const ir::Value& source = graph_.value(node.inputs[0]);
      // Only the shape is read, so the bytes need not exist.
      const Tensor unread(source.dtype, *infos[0].shape, std::shared_ptr<const std::byte>());
      const Tensor* input = &unread;
      known_[node.outputs[0]] = evaluate_node(node, graph_.opset, {&input, 1})[0];
      return;
    }
    std::vector<const Tensor*> inputs;
    for (const InputInfo& input : infos) {
      if (input.present && (input.value == nullptr || input.value->numel() > kMaxTracked)) return;
      inputs.push_back(input.value);
    }
    known_[node.outputs[0]] = evaluate_node(node, graph_.opset, inputs)[0];
  }

  ir::Graph& graph_;
  std::map<ir::ValueId, Tensor> known_;
};

}  // namespace

void infer_shapes(ir::Graph& graph) {
  ShapeWalk walk(graph);
  for (const ir::Node& node : graph.nodes) walk.visit(node);
}

}  // namespace effdet::ops
