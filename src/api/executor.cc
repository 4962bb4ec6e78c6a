#include "effdet/executor.h"

#include <algorithm>
#include <map>
#include <optional>

#include "api/host_tensor.h"
#include "api/impl.h"
#include "api/model_config.h"
#include "api/settled_options.h"
#include "api/weights_warning.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "compiler/passes.h"
#include "detection/model_info.h"
#include "detection/model_input.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rebatch.h"
#include "vision/decode.h"

namespace effdet {
namespace {

using Internal = std::function<void(ir::ValueId, const Tensor&)>;

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

/// Whoever looks into a model wants the maps of the whole batch.
std::shared_ptr<const runtime::Engine> for_the_whole_batch(const std::shared_ptr<const runtime::Engine>& plan) {
  if (plan->program().micro_batches == 1) return plan;
  ir::Graph graph = plan->program().graph;
  for (const ir::Value& input : plan->inputs()) passes::set_input_shape(graph, input.name, *input.shape);
  return std::make_shared<runtime::Engine>(compiler::plan_memory(std::move(graph), plan->program().target));
}

}  // namespace

struct Executor::Impl {
  Options options;
  ir::Graph graph;  ///< of a compiled model its first plan's, until inputs choose another
  std::vector<std::shared_ptr<const runtime::Engine>> plans;  ///< of a compiled model
  std::shared_ptr<const runtime::Engine> compiled;            ///< what the session runs
  std::map<std::string, Shape> session_shapes;
  std::unique_ptr<runtime::Session> session;
  std::unique_ptr<ThreadPool> threads;

  int thread_count() const { return options.threads > 0 ? options.threads : default_thread_count(); }

  /// A model for several shapes has a plan for each. Where none fits, the first one stays and says what it takes.
  void choose_plan(std::span<const Tensor> inputs) {
    for (const auto& plan : plans) {
      bool fits = plan->input_count() == inputs.size();
      for (size_t i = 0; fits && i < inputs.size(); ++i) fits = *plan->input(i).shape == inputs[i].shape();
      if (!fits) continue;
      if (compiled != plan) session = nullptr;
      compiled = plan;
      graph = plan->program().graph;
      return;
    }
  }

  /// The given tensors in the order of the graph's inputs.
  std::vector<Tensor> bind(std::span<const HostTensor> given) const {
    std::vector<Tensor> tensors;
    for (ir::ValueId id : graph.inputs) {
      const std::string& name = graph.value(id).name;
      const HostTensor* found = nullptr;
      for (const HostTensor& tensor : given)
        if (tensor.name == name || (tensor.name.empty() && given.size() == 1)) found = &tensor;
      if (found == nullptr) fail(ErrorCode::kUsage, "there is no tensor for the model's input '{}'", name);
      tensors.push_back(api::to_tensor(*found));
    }
    for (const HostTensor& tensor : given) {
      const ir::ValueId id = graph.find_value(tensor.name);
      if (!tensor.name.empty() && std::ranges::find(graph.inputs, id) == graph.inputs.end())
        fail(ErrorCode::kUsage, "the model has no input '{}'", tensor.name);
    }
    return tensors;
  }

  /// Compiles for the inputs' shapes, where that has not been done.
  void prepare_session(std::span<const Tensor> inputs) {
    std::map<std::string, Shape> shapes;
    for (size_t i = 0; i < inputs.size(); ++i) shapes[graph.value(graph.inputs[i]).name] = inputs[i].shape();
    if (session != nullptr && (!plans.empty() || shapes == session_shapes)) return;
    if (plans.empty()) {
      compiler::CompileOptions compile{.input_shapes = shapes, .split_batch = false};
      if (options.model.precision == Precision::kBfloat16)
        compile.precision = compiler::CompileOptions::Precision::kBfloat16;
      for (ir::ValueId id : graph.inputs)  // what is static already would be inferred again for nothing
        if (graph.value(id).shape == shapes[graph.value(id).name]) compile.input_shapes.erase(graph.value(id).name);
      compiled = std::make_shared<runtime::Engine>(compiler::compile(graph, compile));
    }
    session = std::make_unique<runtime::Session>(compiled, thread_count());
    session_shapes = std::move(shapes);
  }

  std::vector<Tensor> run_native(std::span<const Tensor> inputs, const Internal& observe) {
    prepare_session(inputs);
    const ir::Graph& program = compiled->program().graph;
    if (observe) {
      session->on_step = [&](size_t step, double) {
        const std::vector<ir::ValueId>& outputs = program.nodes[step].outputs;
        for (size_t i = 0; i < outputs.size(); ++i)
          if (const Tensor output = session->step_output(step, i); !output.empty()) observe(outputs[i], output);
      };
    }
    std::vector<Tensor> outputs = session->run(inputs);
    session->on_step = nullptr;
    return outputs;
  }

  std::vector<Tensor> run_reference(std::span<const Tensor> inputs, const Internal& observe) {
    if (threads == nullptr) threads = std::make_unique<ThreadPool>(thread_count());
    return ops::run_reference(graph, inputs, threads.get(), observe);
  }

  /// The graph whose values the observer is called with.
  const ir::Graph& running() const { return session != nullptr ? compiled->program().graph : graph; }
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

Executor Executor::open(const std::filesystem::path& path, const Options& options) {
  if (options.engine == Engine::kReference && options.model.precision == Precision::kBfloat16)
    fail(ErrorCode::kUsage, "the reference engine computes in float32: bfloat16 is for the native one");
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  switch (file_kind(path)) {
    case FileKind::kCompiled: {
      const CompiledModel model = CompiledModel::open(path, options.model);
      for (const auto& plan : model.impl_->plans) impl->plans.push_back(for_the_whole_batch(plan));
      impl->compiled = impl->plans.front();
      impl->graph = impl->compiled->program().graph;
      api::tell(options.model, path, model.weights_warning());
      break;
    }
    case FileKind::kOnnx:
      impl->graph = OnnxModel::read(path).impl_->graph;
      passes::inline_branches(impl->graph);
      api::check_settled(options.model, path, impl->graph);
      api::tell(options.model, path, api::weights_warning(impl->graph));
      break;
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      impl->graph = OnnxModel::from_checkpoint(path, options.model).impl_->graph;
      break;
  }
  return Executor(std::move(impl));
}

std::vector<TensorInfo> Executor::inputs() const { return api::tensor_infos(impl_->graph, impl_->graph.inputs); }
std::vector<TensorInfo> Executor::outputs() const { return api::tensor_infos(impl_->graph, impl_->graph.outputs); }

HostTensor Executor::image(const std::filesystem::path& path) const {
  const ir::Graph& graph = impl_->graph;
  const model::ModelInfo info = detection::model_info(graph.metadata, "give a tensor in a .npy file");
  std::vector<ir::Value> inputs;
  for (const ir::ValueId id : graph.inputs) {
    ir::Value& input = inputs.emplace_back(graph.value(id));
    if (input.shape && !input.shape->empty()) input.shape->front() = std::max<int64_t>(1, input.shape->front());
  }
  const detection::ModelInput input(inputs, graph, info);
  return {inputs[0].name, std::string(dtype_name(inputs[0].dtype)), *inputs[0].shape,
          input.batch_of(*vision::open_image(path))};
}

std::vector<HostTensor> Executor::run(std::span<const HostTensor> inputs, const Observer& observer) {
  const std::vector<Tensor> bound = impl_->bind(inputs);
  impl_->choose_plan(bound);
  std::map<ir::ValueId, const ir::Node*> makers;
  Internal observe;
  if (observer) {
    observe = [&](ir::ValueId id, const Tensor& tensor) {
      const ir::Graph& graph = impl_->running();
      if (makers.empty())
        for (const ir::Node& node : graph.nodes)
          for (ir::ValueId output : node.outputs) makers[output] = &node;
      const ir::Node& node = *makers.at(id);
      const ir::Value& value = graph.value(id);
      const bool turns = node.domain == ir::kFusedDomain && value.layout == ir::Layout::kNhwc;
      observer(turns ? api::from_tensor(channels_first_name(value.name), channels_first(tensor))
                     : api::from_tensor(value.name, tensor),
               node.name, node.op);
    };
  }
  const bool native = impl_->options.engine == Engine::kNative;
  const std::vector<Tensor> results = native ? impl_->run_native(bound, observe) : impl_->run_reference(bound, observe);
  std::vector<HostTensor> outputs;
  for (size_t i = 0; i < results.size(); ++i)
    outputs.push_back(api::from_tensor(impl_->graph.value(impl_->graph.outputs[i]).name, results[i]));
  return outputs;
}

}  // namespace effdet
