#include "effdet/compiled_model.h"

#include "api/impl.h"
#include "api/model_config.h"
#include "api/settled_options.h"
#include "api/weights_warning.h"
#include "artifact/om_file.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/device.h"
#include "kernels/machine.h"
#include "model/metadata.h"
#include "ops/aipp.h"
#include "ops/cost.h"
#include "tuning/tune.h"
#include "tuning/tuning_bank.h"

namespace effdet {
namespace {

/// The graph's outputs are replaced by the values of these names.
void choose_outputs(ir::Graph& graph, const std::vector<std::string>& names) {
  if (names.empty()) return;
  graph.outputs.clear();
  for (const std::string& name : names) {
    const ir::ValueId id = graph.find_value(name);
    if (id == ir::kNoValue) fail(ErrorCode::kUsage, "the model has no tensor '{}' to give out", name);
    graph.outputs.push_back(id);
  }
  graph.compact();
}

std::vector<artifact::Program> programs_of(const std::vector<std::shared_ptr<const runtime::Engine>>& plans) {
  std::vector<artifact::Program> programs;
  for (const auto& engine : plans) programs.push_back(engine->program());
  return programs;
}

/// The type that a step multiplies in: that of its first input.
std::string product_type(const ir::Graph& graph, const ir::Node& node) {
  const bool has_input = !node.inputs.empty() && node.inputs[0] != ir::kNoValue;
  return std::string(dtype_name(graph.value(has_input ? node.inputs[0] : node.outputs.at(0)).dtype));
}

const ir::Graph& graph_of(const std::shared_ptr<const runtime::Engine>& engine) { return engine->program().graph; }

/// Sets options.choices from measurements of every plan.
void tune(const ir::Graph& graph, compiler::CompileOptions& options,
          const std::vector<std::map<std::string, Shape>>& plans, const Tuning& tuning) {
  const tuning::TuneOptions tune_options{
      .folder = tuning.folder.empty() ? tuning::default_tuning_folder() : tuning.folder,
      .seconds = tuning.seconds,
      .threads = tuning.threads > 0 ? tuning.threads : default_thread_count(),
      .repeat = tuning.repeat,
      .on_progress = tuning.on_progress};
  for (const auto& plan : plans) {
    compiler::CompileOptions plan_options = compiler::with_shapes(options, plan);
    const tuning::TuneReport report = tuning::tune(graph, plan_options, tune_options);
    options.choices = std::move(plan_options.choices);
    if (tuning.on_done) tuning.on_done(report.layers, report.measured, report.changed, report.bank);
  }
}

}  // namespace

std::vector<std::string> devices() {
  std::vector<std::string> names;
  for (const kernels::Device* device : kernels::devices()) names.emplace_back(device->target().name);
  return names;
}

CompiledModel CompiledModel::compile(const OnnxModel& model, const CompileOptions& options) {
  const kernels::Device* device = kernels::find_device(options.device);
  if (device == nullptr)
    fail(ErrorCode::kUsage, "there is no device '{}', but {}", options.device, fmt::join(devices(), ", "));
  ir::Graph graph = model.impl_->graph;
  choose_outputs(graph, options.outputs);
  compiler::CompileOptions internal{
      .target = device->target(), .input_shapes = options.input_shapes, .keep_float32 = options.keep_float32};
  if (options.precision == Precision::kBfloat16) internal.precision = compiler::CompileOptions::Precision::kBfloat16;
  if (options.on_stage)
    internal.on_stage = [&](std::string_view stage, const ir::Graph& g) {
      options.on_stage(stage, OnnxModel(std::make_unique<OnnxModel::Impl>(OnnxModel::Impl{g, ""})));
    };
  if (!options.insert_op_conf.empty()) internal.aipp = aipp::read_config(options.insert_op_conf);
  std::vector<std::map<std::string, Shape>> plans = options.plans;
  if (plans.empty()) plans.emplace_back();
  return api::name_source(model.impl_->source, [&] {
    if (options.tuning) tune(graph, internal, plans, *options.tuning);
    return CompiledModel(std::make_shared<Impl>(compiler::compile_plans(graph, internal, plans)));
  });
}

CompiledModel CompiledModel::load(const std::filesystem::path& path) {
  return api::name_source(path, [&] { return CompiledModel(std::make_shared<Impl>(artifact::read_om(path))); });
}

CompiledModel CompiledModel::open(const std::filesystem::path& path, const ModelOptions& options) {
  const CompileOptions compile_options{.precision = options.precision.value_or(Precision::kFloat32)};
  switch (file_kind(path)) {
    case FileKind::kCompiled: {
      CompiledModel model = load(path);
      api::check_settled(options, path, model.impl_->plans);
      api::tell(options, path, model.weights_warning());
      return model;
    }
    case FileKind::kOnnx: {
      const OnnxModel model = OnnxModel::read(path);
      api::check_settled(options, path, model.impl_->graph);
      api::tell(options, path, model.weights_warning());
      return compile(model, compile_options);
    }
    case FileKind::kCheckpoint:
    case FileKind::kUnknown:
      break;  // the checkpoint reader says best what an unknown file is
  }
  return compile(OnnxModel::from_checkpoint(path, options), compile_options);
}

void CompiledModel::save(const std::filesystem::path& path) const {
  artifact::write_om(programs_of(impl_->plans), path);
}

size_t CompiledModel::plan_count() const { return impl_->plans.size(); }

CompiledModel CompiledModel::plan(size_t index) const {
  if (index >= impl_->plans.size()) fail(ErrorCode::kUsage, "plan {} of {}", index, impl_->plans.size());
  return CompiledModel(std::make_shared<Impl>(impl_->plans[index]));
}

std::vector<TensorInfo> CompiledModel::inputs() const { return api::tensor_infos(impl_->engine()->inputs()); }

std::vector<TensorInfo> CompiledModel::outputs() const { return api::tensor_infos(impl_->engine()->outputs()); }

std::map<std::string, std::string> CompiledModel::metadata() const { return graph_of(impl_->engine()).metadata; }
std::string CompiledModel::weights_warning() const { return api::weights_warning(graph_of(impl_->engine())); }
std::optional<int64_t> CompiledModel::parameters() const { return model::parameters_of(metadata()); }
uint64_t CompiledModel::arena_bytes() const {
  uint64_t most = 0;
  for (const auto& engine : impl_->plans) most = std::max(most, engine->program().arena_bytes);
  return most;
}
int64_t CompiledModel::micro_batches() const { return impl_->engine()->program().micro_batches; }
uint64_t CompiledModel::weight_bytes() const { return artifact::weight_bytes(programs_of(impl_->plans)); }

std::optional<AippDescription> CompiledModel::aipp() const {
  const auto spec = ops::input_aipp(graph_of(impl_->engine()));
  if (!spec) return std::nullopt;
  AippDescription description{.format = std::string(ops::kAippFormats[static_cast<size_t>(spec->format)]),
                              .height = static_cast<int>(spec->source_height),
                              .width = static_cast<int>(spec->source_width),
                              .steps = {}};
  if (spec->swap_ax) description.steps.push_back("the last byte of a pixel does not count");
  if (spec->swap_rbuv)
    description.steps.push_back(spec->format == ops::AippFormat::kYuv420sp ? "swap U and V" : "swap red and blue");
  if (spec->crop_height != spec->source_height || spec->crop_width != spec->source_width)
    description.steps.push_back(fmt::format("crop {} x {} (width x height) at ({}, {})", spec->crop_width,
                                            spec->crop_height, spec->crop_left, spec->crop_top));
  if (spec->convert)
    description.steps.push_back(fmt::format("convert colours by ({}) >> 8, biases in ({}), out ({})",
                                            fmt::join(spec->matrix, " "), fmt::join(spec->input_bias, " "),
                                            fmt::join(spec->output_bias, " ")));
  description.steps.push_back(fmt::format("(sample - ({}) - ({})) * ({})", fmt::join(spec->mean, " "),
                                          fmt::join(spec->min, " "), fmt::join(spec->scale, " ")));
  if (spec->output_height() != spec->crop_height || spec->output_width() != spec->crop_width)
    description.steps.push_back(fmt::format("pad by {} {} {} {} (top, left, bottom, right) with {}", spec->pad_top,
                                            spec->pad_left, spec->pad_bottom, spec->pad_right, spec->padding_value));
  return description;
}

std::vector<CompiledModel::Step> CompiledModel::steps() const {
  std::vector<Step> steps;
  const ir::Graph& graph = graph_of(impl_->engine());
  const int64_t parts = micro_batches();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const kernels::Choice& choice = impl_->engine()->choices()[i];
    const ops::Cost cost = ops::cost_of(graph, node);
    steps.push_back({node.name, node.op, std::string(choice.implementation), product_type(graph, node),
                     *graph.value(node.outputs[0]).shape, choice.refusals, cost.flops * parts, cost.bytes * parts});
  }
  return steps;
}

MachineRates measure_machine(int threads) {
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  const kernels::MachineRates rates = kernels::measure_machine(pool);
  return {rates.gemm_flops, rates.bf16_flops, rates.copy_bytes};
}

bool multiplies_bfloat16() { return kernels::cpu::micro_kernels().multiplies_bf16; }

struct Runner::Impl {
  /// Sizes of a plan's tensors, and room for the caller's addresses.
  struct Plan {
    std::vector<size_t> input_bytes, output_bytes;
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;

    explicit Plan(const runtime::Engine& engine) : inputs(engine.input_count()), outputs(engine.output_count()) {
      for (size_t i = 0; i < inputs.size(); ++i) input_bytes.push_back(artifact::value_bytes(engine.input(i)));
      for (size_t i = 0; i < outputs.size(); ++i) output_bytes.push_back(artifact::value_bytes(engine.output(i)));
    }
  };
  runtime::Session session;
  std::vector<Plan> plans;

  Plan& plan(size_t index) {
    if (index >= plans.size()) fail(ErrorCode::kUsage, "plan {} of {}", index, plans.size());
    return plans[index];
  }
};

Runner::Runner(const CompiledModel& model, int threads)
    : impl_(new Impl{runtime::Session(model.impl_->plans, threads > 0 ? threads : default_thread_count()), {}}) {
  for (const auto& engine : model.impl_->plans) impl_->plans.emplace_back(*engine);
}

Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;

void Runner::run(std::span<const std::span<const std::byte>> inputs, std::span<const std::span<std::byte>> outputs,
                 size_t plan_index) {
  const auto bind = [](auto given, const std::vector<size_t>& bytes, auto& pointers, std::string_view what) {
    if (given.size() != bytes.size())
      fail(ErrorCode::kUsage, "the model has {} {}s, not {}", bytes.size(), what, given.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (given[i].size() != bytes[i])
        fail(ErrorCode::kUsage, "{} {} has {} bytes, not {}", what, i, bytes[i], given[i].size());
      pointers[i] = given[i].data();
    }
  };
  Impl::Plan& plan = impl_->plan(plan_index);
  bind(inputs, plan.input_bytes, plan.inputs, "input");
  bind(outputs, plan.output_bytes, plan.outputs, "output");
  impl_->session.run(plan.inputs, plan.outputs, plan_index);
}

int Runner::threads() const { return impl_->session.threads(); }
const std::vector<size_t>& Runner::input_bytes(size_t plan) const { return impl_->plan(plan).input_bytes; }
const std::vector<size_t>& Runner::output_bytes(size_t plan) const { return impl_->plan(plan).output_bytes; }
void Runner::on_step(std::function<void(size_t step, double seconds)> callback) {
  impl_->session.on_step = std::move(callback);
}

}  // namespace effdet
