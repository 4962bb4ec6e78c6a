// CompiledModel over compiler, artifact and runtime.
#include "effdet/compiled_model.h"

#include <utility>

#include "aipp/describe.h"
#include "api/impl.h"
#include "artifact/om_file.h"
#include "ascend/model_metadata.h"
#include "ascend/read_model.h"
#include "base/error.h"
#include "base/log.h"
#include "compiler/compile.h"
#include "detection/candidates_graph.h"
#include "detection/decoded_model.h"
#include "effdet/cann_model.h"
#include "effdet/detection.h"
#include "effdet/file_kind.h"
#include "effdet/machine.h"
#include "effdet/structure.h"
#include "ir/inspect.h"
#include "kernels/ascend/device.h"
#include "kernels/cuda/device.h"
#include "kernels/device.h"
#include "model/metadata.h"
#include "model/model_options.h"
#include "model/settled_options.h"
#include "model/structure.h"
#include "ops/aipp.h"
#include "passes/choose_outputs.h"
#include "runtime/inspect.h"
#include "tuning/tune.h"

namespace effdet {
namespace {

std::vector<artifact::Program> programs_of(const std::vector<std::shared_ptr<const runtime::Engine>>& plans) {
  std::vector<artifact::Program> programs;
  for (const auto& engine : plans) programs.push_back(engine->program());
  return programs;
}

/// Where the programs of a file run: on the device that is asked for. Throws Error(kUsage) for another kind of device
/// than they were compiled for.
void settle_device(std::vector<artifact::Program>& programs, const std::string& device) {
  if (device.empty()) return;
  for (artifact::Program& program : programs) {
    if (program.target != kernels::cuda::target_of(device))
      fail(ErrorCode::kUsage, "compiled for the device {}, not for {}: compile it anew (atc --soc_version={})",
           program.target, device,
           device == ops::kCpuTarget.name ? "native" : std::string(kernels::cuda::target_of(device)));
    program.target = device;
  }
}

void log_opened(const std::filesystem::path& path, const CompiledModel& model) {
  if (!is_logged()) return;  // the weights are counted plan by plan
  log(LogLevel::kInfo, "{}: is open, for {}, with {} plan{} and {} bytes of weights", path.string(), model.device(),
      model.plan_count(), model.plan_count() == 1 ? "" : "s", model.weight_bytes());
}

const ir::Graph& graph_of(const std::shared_ptr<const runtime::Engine>& engine) { return engine->program().graph; }

}  // namespace

CompiledModel CompiledModel::compile(const OnnxModel& model, const CompileOptions& options) {
  const kernels::Device* device = kernels::find_device(options.device);
  if (device == nullptr)
    fail(ErrorCode::kUsage, "there is no device '{}', but {}", options.device, fmt::join(devices(), ", "));
  if (options.tuning && device->target().name != ops::kCpuTarget.name)
    fail(ErrorCode::kUnsupported, "autotuning measures the processor, not the device {}: leave it out",
         device->target().name);
  ir::Graph graph = model.impl_->graph;
  passes::choose_outputs(graph, options.outputs);
  name_source(model.impl_->source, [&] { detection::recognise_decoded(graph); });
  compiler::CompileOptions of_plan{.target = device->target(),
                                   .input_shapes = options.input_shapes,
                                   .precision = api::compiler_precision(graph, options.precision, model.impl_->source),
                                   .keep_float32 = options.keep_float32};
  if (!options.insert_op_conf.empty()) of_plan.aipp = aipp::read_config(options.insert_op_conf);
  if (options.on_stage)
    of_plan.on_stage = [&](std::string_view stage, const ir::Graph& g) {
      options.on_stage(stage, OnnxModel(std::make_unique<OnnxModel::Impl>(OnnxModel::Impl{g, ""})));
    };
  std::vector<std::map<std::string, Shape>> plans = options.plans;
  if (plans.empty()) plans.emplace_back();
  return name_source(model.impl_->source, [&] {
    if (options.tuning) tuning::tune_plans(graph, of_plan, plans, *options.tuning);
    return CompiledModel(std::make_shared<Impl>(compiler::compile_plans(graph, of_plan, plans), model.impl_->source));
  });
}

CompiledModel CompiledModel::load(const std::filesystem::path& path, const std::string& device,
                                  const std::filesystem::path& metadata) {
  std::vector<artifact::Program> programs = name_source(path, [&] {
    if (device.empty() ? cann_model(path).has_value() : kernels::ascend::is_target(device))
      return ascend::read_model(path, device.empty() ? std::string(kernels::ascend::kTarget) : device);
    if (!device.empty() && kernels::find_device(device) == nullptr)
      fail(ErrorCode::kUsage, "there is no device '{}', but cpu, cuda (cuda:1) and ascend (ascend:1, ascend:0,1)",
           device);
    std::vector<artifact::Program> read = artifact::read_om(path);
    settle_device(read, device);
    return read;
  });
  ascend::complete_metadata(programs, path, metadata);
  return name_source(path, [&] { return CompiledModel(std::make_shared<Impl>(std::move(programs), path.string())); });
}

CompiledModel CompiledModel::load(std::span<const std::byte> file, const std::string& name) {
  return name_source(name, [&] { return CompiledModel(std::make_shared<Impl>(artifact::read_om(file, name), name)); });
}

CompiledModel CompiledModel::open(const std::filesystem::path& path, const ModelOptions& options) {
  switch (file_kind(path)) {
    case FileKind::kCompiled: {
      CompiledModel model = load(path, options.device, options.metadata);
      const runtime::Engine& first = *model.impl_->engine();
      model::SettledModel settled{path.string(), first.program().graph.metadata, {}, runtime::precision_of(first)};
      for (const auto& plan : model.impl_->plans)
        for (const model::InputSize& size : model::input_sizes(graph_of(plan))) settled.sizes.push_back(size);
      model::check_settled(options, settled);
      model::tell(options, path, detection::assumptions_of(first.program().graph.metadata));
      model::tell(options, path, model.weights_warning());
      model::tell(options, path, model.device_note());
      log_opened(path, model);
      return model;
    }
    case FileKind::kOnnx:
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      break;
  }
  CompileOptions of_model{.precision = options.precision.value_or(Precision::kFloat32)};
  ModelOptions of_graph = options;
  if (kernels::cuda::is_target(options.device)) of_model.device = std::exchange(of_graph.device, "");
  OnnxModel graph = OnnxModel::open(path, of_graph);
  // Whole heads would take longer to the host than the network takes.
  if (of_model.device != ops::kCpuTarget.name)
    detection::append_candidates(graph.impl_->graph, DetectOptions().max_candidates);
  CompiledModel model = compile(graph, of_model);
  model::tell(options, path, model.device_note());
  log_opened(path, model);
  return model;
}

void CompiledModel::save(const std::filesystem::path& path) const {
  std::vector<artifact::Program> programs = programs_of(impl_->plans);
  for (artifact::Program& program : programs) program.target = kernels::cuda::target_of(program.target);
  artifact::write_om(programs, path);
}

size_t CompiledModel::plan_count() const { return impl_->plans.size(); }

CompiledModel CompiledModel::plan(size_t index) const {
  if (index >= impl_->plans.size()) fail(ErrorCode::kUsage, "plan {} of {}", index, impl_->plans.size());
  return CompiledModel(std::make_shared<Impl>(impl_->plans[index], impl_->source));
}

std::vector<TensorInfo> CompiledModel::inputs() const { return ir::tensor_infos(impl_->engine()->inputs()); }
std::vector<TensorInfo> CompiledModel::outputs() const { return ir::tensor_infos(impl_->engine()->outputs()); }
std::map<std::string, std::string> CompiledModel::metadata() const { return graph_of(impl_->engine()).metadata; }
std::string CompiledModel::weights_warning() const { return ir::weights_warning(graph_of(impl_->engine())); }
std::string CompiledModel::device() const { return impl_->engine()->program().target; }
std::string CompiledModel::device_note() const { return runtime::fallback_note(*impl_->engine()); }
std::optional<int64_t> CompiledModel::parameters() const { return model::parameters_of(metadata()); }
uint64_t CompiledModel::arena_bytes() const { return runtime::arena_bytes(impl_->plans); }
uint64_t CompiledModel::weight_bytes() const { return runtime::weight_bytes(impl_->plans); }
int64_t CompiledModel::micro_batches() const { return impl_->engine()->program().micro_batches; }
std::vector<CompiledModel::Step> CompiledModel::steps() const { return runtime::describe_steps(*impl_->engine()); }

std::optional<AippDescription> CompiledModel::aipp() const {
  const auto spec = ops::input_aipp(graph_of(impl_->engine()));
  return spec ? std::optional(aipp::describe(*spec)) : std::nullopt;
}

std::vector<StructureBlock> structure(const CompiledModel& model) {
  return model::structure(graph_of(model.impl_->engine()));
}

}  // namespace effdet
