// Binds tensors by name, chooses a plan or compiles for their shapes, and observes what nodes produce.
#include "executor/graph_executor.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "compiler/compile.h"
#include "compiler/passes.h"
#include "onnx/host_tensor.h"
#include "ops/op.h"
#include "passes/rebatch.h"

namespace effdet::executor {
namespace {

/// The name of the map that a value with channels last stands for: the compiler has appended the layout to it.
std::string channels_first_name(const std::string& name) {
  constexpr std::string_view kSuffix = "_nhwc";
  return name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
}

Tensor channels_first(const Tensor& tensor) {
  const ir::Node node{"Transpose", "", "observer", {0}, {1}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}}};
  const Tensor* input = &tensor;
  return ops::evaluate_node(node, 11, {&input, 1})[0];
}

/// The plan without micro-batches: whoever looks into a model wants the maps of the whole batch.
std::shared_ptr<const runtime::Engine> of_whole_batch(const std::shared_ptr<const runtime::Engine>& plan) {
  if (plan->program().micro_batches == 1) return plan;
  ir::Graph graph = plan->program().graph;
  for (const ir::Value& input : plan->inputs()) passes::set_input_shape(graph, input.name, *input.shape);
  return std::make_shared<runtime::Engine>(compiler::plan_memory(std::move(graph), plan->program().target));
}

}  // namespace

GraphExecutor::GraphExecutor(ir::Graph graph, const Options& options) : options_(options), graph_(std::move(graph)) {}

GraphExecutor::GraphExecutor(const Plans& plans, const Options& options) : options_(options) {
  for (const auto& plan : plans) plans_.push_back(of_whole_batch(plan));
  compiled_ = plans_.front();
  graph_ = compiled_->program().graph;
}

int GraphExecutor::thread_count() const { return options_.threads > 0 ? options_.threads : default_thread_count(); }

/// A model for several shapes has a plan for each. Where none fits, the first one stays and says what it takes.
void GraphExecutor::choose_plan(std::span<const Tensor> inputs) {
  for (const auto& plan : plans_) {
    bool fits = plan->input_count() == inputs.size();
    for (size_t i = 0; fits && i < inputs.size(); ++i) fits = *plan->input(i).shape == inputs[i].shape();
    if (!fits) continue;
    if (compiled_ != plan) session_ = nullptr;
    compiled_ = plan;
    graph_ = plan->program().graph;
    return;
  }
}

/// The given tensors in the order of the graph's inputs.
std::vector<Tensor> GraphExecutor::bind(std::span<const HostTensor> given) const {
  std::vector<Tensor> tensors;
  for (ir::ValueId id : graph_.inputs) {
    const std::string& name = graph_.value(id).name;
    const HostTensor* found = nullptr;
    for (const HostTensor& tensor : given)
      if (tensor.name == name || (tensor.name.empty() && given.size() == 1)) found = &tensor;
    if (found == nullptr) fail(ErrorCode::kUsage, "there is no tensor for the model's input '{}'", name);
    tensors.push_back(onnx::to_tensor(*found));
  }
  for (const HostTensor& tensor : given) {
    const ir::ValueId id = graph_.find_value(tensor.name);
    if (!tensor.name.empty() && std::ranges::find(graph_.inputs, id) == graph_.inputs.end())
      fail(ErrorCode::kUsage, "the model has no input '{}'", tensor.name);
  }
  return tensors;
}

/// Compiles for the inputs' shapes, where that has not been done.
void GraphExecutor::prepare_session(std::span<const Tensor> inputs) {
  std::map<std::string, Shape> shapes;
  for (size_t i = 0; i < inputs.size(); ++i) shapes[graph_.value(graph_.inputs[i]).name] = inputs[i].shape();
  if (session_ != nullptr && (!plans_.empty() || shapes == session_shapes_)) return;
  if (plans_.empty()) {
    compiler::CompileOptions compile{.input_shapes = shapes, .precision = options_.precision, .split_batch = false};
    for (ir::ValueId id : graph_.inputs)  // what is static already would be inferred again for nothing
      if (graph_.value(id).shape == shapes[graph_.value(id).name]) compile.input_shapes.erase(graph_.value(id).name);
    compiled_ = std::make_shared<runtime::Engine>(compiler::compile(graph_, compile));
  }
  session_ = std::make_unique<runtime::Session>(compiled_, thread_count());
  session_shapes_ = std::move(shapes);
}

std::vector<Tensor> GraphExecutor::run_native(std::span<const Tensor> inputs, const ValueObserver& observe) {
  prepare_session(inputs);
  const ir::Graph& program = compiled_->program().graph;
  session_->on_step = nullptr;  // a run that threw left that of its observer
  if (observe) {
    session_->on_step = [&](size_t step, double) {
      const std::vector<ir::ValueId>& outputs = program.nodes[step].outputs;
      for (size_t i = 0; i < outputs.size(); ++i)
        if (const Tensor output = session_->step_output(step, i); !output.empty()) observe(outputs[i], output);
    };
  }
  std::vector<Tensor> outputs = session_->run(inputs);
  session_->on_step = nullptr;
  return outputs;
}

std::vector<Tensor> GraphExecutor::run_reference(std::span<const Tensor> inputs, const ValueObserver& observe) {
  if (threads_ == nullptr) threads_ = std::make_unique<ThreadPool>(thread_count());
  return ops::run_reference(graph_, inputs, threads_.get(), observe);
}

const ir::Graph& GraphExecutor::running() const { return session_ != nullptr ? compiled_->program().graph : graph_; }

std::vector<HostTensor> GraphExecutor::run(std::span<const HostTensor> inputs, const Observer& observer) {
  const std::vector<Tensor> bound = bind(inputs);
  choose_plan(bound);
  std::map<ir::ValueId, const ir::Node*> producers;
  ValueObserver observe;
  if (observer) {
    observe = [&](ir::ValueId id, const Tensor& tensor) {
      const ir::Graph& graph = running();
      if (producers.empty())
        for (const ir::Node& node : graph.nodes)
          for (ir::ValueId output : node.outputs) producers[output] = &node;
      const ir::Node& node = *producers.at(id);
      const ir::Value& value = graph.value(id);
      if (node.domain == ir::kFusedDomain && value.layout == ir::Layout::kNhwc)
        observer(onnx::from_tensor(channels_first_name(value.name), channels_first(tensor)), node.name, node.op);
      else
        observer(onnx::from_tensor(value.name, tensor), node.name, node.op);
    };
  }
  const std::vector<Tensor> results = options_.reference ? run_reference(bound, observe) : run_native(bound, observe);
  std::vector<HostTensor> outputs;
  for (size_t i = 0; i < results.size(); ++i)
    outputs.push_back(onnx::from_tensor(graph_.value(graph_.outputs[i]).name, results[i]));
  return outputs;
}

}  // namespace effdet::executor
