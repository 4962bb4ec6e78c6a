// Executor: opens any model for a GraphExecutor.
#include "effdet/executor.h"

#include <algorithm>

#include "api/impl.h"
#include "base/error.h"
#include "detection/model_info.h"
#include "detection/model_input.h"
#include "effdet/file_kind.h"
#include "executor/graph_executor.h"
#include "ir/inspect.h"
#include "model/model_options.h"
#include "model/settled_options.h"
#include "passes/passes.h"
#include "vision/decode.h"

namespace effdet {

struct Executor::Impl {
  executor::GraphExecutor executor;
  std::string source;  ///< the file it was made from
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;

Executor Executor::open(const std::filesystem::path& path, const Options& options) {
  executor::GraphExecutor::Options settings{.reference = options.engine == Engine::kReference,
                                            .threads = options.threads,
                                            .precision = options.model.precision.value_or(Precision::kFloat32)};
  if (settings.reference && (settings.precision == Precision::kBfloat16 || settings.precision == Precision::kFloat16))
    fail(ErrorCode::kUsage, "the reference engine computes in float32: 16 bits are for the native one");
  const auto make = [&](auto&& model) {
    return Executor(std::make_unique<Impl>(Impl{executor::GraphExecutor(std::move(model), settings), path.string()}));
  };
  const FileKind kind = file_kind(path);
  if (kind != FileKind::kCompiled) api::refuse_options_of_compiled(options.model, path.string());
  switch (kind) {
    case FileKind::kCompiled:
      return make(EngineAccess::plans(CompiledModel::open(path, options.model)));
    case FileKind::kOnnx: {
      ir::Graph graph = OnnxModel::read(path).impl_->graph;
      // Compiled, branches that are not known are joined when the shapes of the inputs are.
      settings.reference ? passes::join_branches(graph) : passes::inline_branches(graph);
      model::check_settled(options.model, {path.string(), graph.metadata, model::input_sizes(graph), {}});
      model::tell(options.model, path, ir::weights_warning(graph));
      settings.precision = api::compiler_precision(graph, settings.precision, path.string());
      return make(std::move(graph));
    }
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      break;
  }
  ir::Graph graph = OnnxModel::from_checkpoint(path, options.model).impl_->graph;
  settings.precision = api::compiler_precision(graph, settings.precision, path.string());
  return make(std::move(graph));
}

std::vector<TensorInfo> Executor::inputs() const {
  return ir::tensor_infos(impl_->executor.graph(), impl_->executor.graph().inputs);
}
std::vector<TensorInfo> Executor::outputs() const {
  return ir::tensor_infos(impl_->executor.graph(), impl_->executor.graph().outputs);
}

HostTensor Executor::image(const std::filesystem::path& path) const {
  const ir::Graph& graph = impl_->executor.graph();
  std::vector<ir::Value> inputs;
  for (const ir::ValueId id : graph.inputs) {
    ir::Value& input = inputs.emplace_back(graph.value(id));
    if (input.shape && !input.shape->empty()) input.shape->front() = std::max<int64_t>(1, input.shape->front());
  }
  const auto input = name_source(impl_->source, [&] {
    return detection::ModelInput(inputs, graph, detection::model_info(graph.metadata, "give a tensor in a .npy file"));
  });
  const ir::Value& images = inputs[input.images_input()];
  return {images.name, std::string(dtype_name(images.dtype)), *images.shape, input.batch_of(*vision::open_image(path))};
}

std::vector<HostTensor> Executor::run(std::span<const HostTensor> inputs, const Observer& observer) {
  return name_source(impl_->source, [&] { return impl_->executor.run(inputs, observer); });
}

}  // namespace effdet
