// Runs a graph with the reference kernels.
#include <algorithm>

#include "base/memory.h"
#include "ir/messages.h"
#include "ops/op.h"

namespace effdet::ops {
namespace {

/// The tensors of a run, each kept until its last reader is done.
class Run {
 public:
  Run(const ir::Graph& graph, ThreadPool* threads, const std::function<void(ir::ValueId, const Tensor&)>& on_value)
      : graph_(graph),
        threads_(threads),
        on_value_(on_value),
        tensors_(graph.value_count()),
        reads_left_(graph.value_count()) {
    for (const ir::Node& node : graph.nodes)
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) ++reads_left_[id];
    for (ir::ValueId id : graph.outputs) ++reads_left_[id];  // never taken back: outputs stay
  }

  void set_input(ir::ValueId id, const Tensor& tensor) {
    const ir::Value& value = graph_.value(id);
    bool fits = tensor.dtype() == value.dtype && (!value.shape || value.shape->size() == tensor.rank());
    for (size_t axis = 0; fits && value.shape && axis < tensor.rank(); ++axis)
      fits = value.shape->at(axis) < 0 || value.shape->at(axis) == tensor.dim(axis);
    if (!fits)
      bad_input("input '{}' is {} of shape {}, the model takes {} of shape {}", value.name, dtype_name(tensor.dtype()),
                shape_text(tensor.shape()), dtype_name(value.dtype), value.shape ? shape_text(*value.shape) : "any");
    tensors_[id] = tensor;
  }

  void step(const ir::Node& node) {
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) {
      if (id != ir::kNoValue && graph_.value(id).initializer)
        fail(ErrorCode::kUnsupported, "{}: the type of '{}' ({}) is not supported", node_label(node),
             graph_.value(id).name, ir::other_type_name(graph_.value(id)));
      inputs.push_back(id == ir::kNoValue ? nullptr : &tensor(id));
    }
    std::vector<Tensor> results = evaluate_node(node, graph_.opset, inputs, threads_);
    for (size_t i = 0; i < results.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      if (on_value_) on_value_(node.outputs[i], results[i]);
      if (reads_left_[node.outputs[i]] > 0) tensors_[node.outputs[i]] = std::move(results[i]);
    }
    for (ir::ValueId id : node.inputs)
      if (id != ir::kNoValue && --reads_left_[id] == 0) tensors_[id] = Tensor();
  }

  /// Runs what the outputs follow from, and of two branches the one that is taken.
  void run_what_is_read() {
    const ir::Uses uses(graph_);
    std::vector<bool> done(graph_.nodes.size(), false);
    std::vector<int> open;  // producers, each after those that wait for it
    const auto want = [&](ir::ValueId id) {
      const int producer = id == ir::kNoValue ? -1 : uses.producer(id);
      if (producer < 0 || done[static_cast<size_t>(producer)]) return false;
      open.push_back(producer);
      return true;
    };
    for (const ir::ValueId output : graph_.outputs) {
      want(output);
      while (!open.empty()) {
        const auto index = static_cast<size_t>(open.back());
        const ir::Node& node = graph_.nodes[index];
        if (done[index]) {
          open.pop_back();
        } else if (is_choice(node)) {
          if (want(node.inputs[0])) continue;
          const ir::ValueId taken = node.inputs[chosen(node)];
          if (want(taken)) continue;
          choose(node, taken);
          done[index] = true;
        } else if (const auto waits = std::ranges::count_if(node.inputs, want); waits == 0) {
          step(node);
          done[index] = true;
        }
      }
    }
  }

  static bool is_choice(const ir::Node& node) { return node.op == "Choose" && node.domain == ir::kFusedDomain; }

  const Tensor& tensor(ir::ValueId id) const {
    if (const Tensor* constant = graph_.constant(id)) return *constant;
    if (tensors_[id].empty()) fail(ErrorCode::kInternal, "value '{}' is read before it is made", graph_.value(id).name);
    return tensors_[id];
  }

 private:
  size_t chosen(const ir::Node& node) const {
    const Tensor& condition = tensor(node.inputs[0]);
    if (condition.dtype() != DType::kBool || condition.numel() != 1)
      node_error(node, "the condition is {} of shape {}", dtype_name(condition.dtype()), shape_text(condition.shape()));
    return condition.data<bool>()[0] ? 1 : 2;
  }

  void choose(const ir::Node& node, ir::ValueId taken) {
    const ir::ValueId out = node.outputs[0];
    tensors_[out] = tensor(taken);
    if (on_value_) on_value_(out, tensors_[out]);
  }

  const ir::Graph& graph_;
  ThreadPool* threads_;
  const std::function<void(ir::ValueId, const Tensor&)>& on_value_;
  std::vector<Tensor> tensors_;
  std::vector<int> reads_left_;
};

}  // namespace

std::vector<Tensor> run_reference(const ir::Graph& graph, std::span<const Tensor> inputs, ThreadPool* threads,
                                  const std::function<void(ir::ValueId, const Tensor&)>& on_value) {
  if (inputs.size() != graph.inputs.size())
    bad_input("graph '{}' takes {} inputs, {} were given", graph.name, graph.inputs.size(), inputs.size());
  const MemoryBudget budget(memory_left());
  Run run(graph, threads, on_value);
  for (size_t i = 0; i < inputs.size(); ++i) run.set_input(graph.inputs[i], inputs[i]);
  if (std::ranges::any_of(graph.nodes, Run::is_choice)) {
    run.run_what_is_read();
  } else {
    for (const ir::Node& node : graph.nodes) run.step(node);
  }
  std::vector<Tensor> outputs;
  for (ir::ValueId id : graph.outputs) outputs.push_back(run.tensor(id));
  return outputs;
}

}  // namespace effdet::ops
