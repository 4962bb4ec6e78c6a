// OnnxModel over reader, builder, passes and writer.
#include "effdet/onnx_model.h"

#include <algorithm>

#include "api/impl.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "checkpoint/checkpoint.h"
#include "detection/decoded_model.h"
#include "detection/nms_graph.h"
#include "effdet/file_kind.h"
#include "effdet/quantize.h"
#include "effdet/structure.h"
#include "ir/inspect.h"
#include "model/builder.h"
#include "model/metadata.h"
#include "model/model_options.h"
#include "model/settled_options.h"
#include "model/structure.h"
#include "onnx/raise_opset.h"
#include "onnx/reader.h"
#include "onnx/writer.h"
#include "ops/op.h"
#include "passes/equivalence.h"
#include "passes/pipeline.h"
#include "passes/surgery.h"
#include "passes/whole_check.h"
#include "passes/zero_pads.h"
#include "quantize/quantize.h"
#include "quantize/quantize_model.h"

namespace effdet {
namespace {

/// What is left of a limit for the whole process.
uint64_t memory_beside(uint64_t limit) { return limit - std::min(limit, memory_used()); }

/// The builder's graphs have no faults of their own: what does not fit is what was asked for.
void infer_built(ir::Graph& graph, const model::ModelConfig& config, const std::string& path) {
  try {
    ops::infer_shapes(graph);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    fail(ErrorCode::kUsage, "{}: images of {} x {} (height x width) in batches of {} are too large: {}", path,
         config.image_height, config.image_width, config.batch, error.what());
  }
}

}  // namespace

OnnxModel::OnnxModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OnnxModel::OnnxModel(const OnnxModel& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
OnnxModel::OnnxModel(OnnxModel&&) noexcept = default;
OnnxModel& OnnxModel::operator=(OnnxModel other) noexcept {
  impl_ = std::move(other.impl_);
  return *this;
}
OnnxModel::~OnnxModel() = default;

OnnxModel OnnxModel::read(const std::filesystem::path& path) {
  OnnxModel model(std::make_unique<Impl>(Impl{onnx::read_onnx(path), path.string()}));
  name_source(path.string(), [&] { ops::infer_shapes(model.impl_->graph); });
  return model;
}

OnnxModel OnnxModel::from_checkpoint(const std::filesystem::path& path, const ModelOptions& options) {
  const checkpoint::Checkpoint checkpoint = checkpoint::read_checkpoint(path, {.use_ema = options.use_ema});
  const model::ModelConfig config = model::config_for(checkpoint, options);
  OnnxModel model(std::make_unique<Impl>(Impl{model::build_graph(config, checkpoint), path.string()}));
  name_source(path.string(), [&] { infer_built(model.impl_->graph, config, path.string()); });
  model::tell(options, path, model.weights_warning());
  return model;
}

OnnxModel OnnxModel::open(const std::filesystem::path& path, const ModelOptions& options) {
  const FileKind kind = file_kind(path);
  if (kind == FileKind::kCompiled)
    fail(ErrorCode::kUsage, "{}: is compiled already; give the ONNX file or the checkpoint that it is of",
         path.string());
  api::refuse_options_of_compiled(options, path.string());
  if (kind != FileKind::kOnnx) return from_checkpoint(path, options);  // whose reader says best what is unknown
  OnnxModel model = read(path);
  ir::Graph& graph = model.impl_->graph;
  name_source(path.string(), [&] { detection::recognise_decoded(graph, options); });
  model::check_settled(options, {path.string(), graph.metadata, model::input_sizes(graph), {}});
  model::tell(options, path, detection::assumptions_of(graph.metadata));
  model::tell(options, path, model.weights_warning());
  return model;
}

std::vector<std::filesystem::path> OnnxModel::write(const std::filesystem::path& path, Weights weights) const {
  return onnx::write_onnx(impl_->graph, path, weights);
}

std::vector<TensorInfo> OnnxModel::inputs() const { return ir::tensor_infos(impl_->graph, impl_->graph.inputs); }
std::vector<TensorInfo> OnnxModel::outputs() const { return ir::tensor_infos(impl_->graph, impl_->graph.outputs); }
std::map<std::string, std::string> OnnxModel::metadata() const { return impl_->graph.metadata; }
int64_t OnnxModel::opset() const { return impl_->graph.opset; }

std::map<std::string, size_t> OnnxModel::node_counts() const { return ir::node_counts(impl_->graph); }
std::optional<int64_t> OnnxModel::parameters() const { return model::parameters_of(impl_->graph.metadata); }
int64_t OnnxModel::weight_values() const { return ir::weight_size(impl_->graph).values; }
uint64_t OnnxModel::weight_bytes() const { return ir::weight_size(impl_->graph).bytes; }
std::string OnnxModel::weights_warning() const { return ir::weights_warning(impl_->graph); }
std::string OnnxModel::node_output(const std::string& node, size_t output) const {
  return ir::output_name(impl_->graph, node, output);
}

void OnnxModel::simplify(const SimplifyOptions& options) {
  name_source(impl_->source, [&] { passes::simplify(impl_->graph, options); });
}

void OnnxModel::append_nms(const DetectOptions& options) {
  name_source(impl_->source, [&] { detection::append_nms(impl_->graph, options); });
}

void OnnxModel::raise_opset(int64_t opset) {
  name_source(impl_->source, [&] { onnx::raise_opset(impl_->graph, opset); });
}

QuantizeReport OnnxModel::quantize(const QuantizeOptions& options) {
  std::vector<std::filesystem::path> images = options.calibration;
  images.push_back(options.validation);
  QuantizeReport report;
  ir::Graph quantized = name_source(
      impl_->source, [&] { return quantize::quantize_model(quantize::prepare(impl_->graph), options, report); },
      images);
  if (report.passed) impl_->graph = std::move(quantized);
  return report;
}

bool OnnxModel::is_quantized() const { return api::is_quantized(impl_->graph); }

std::vector<std::string> OnnxModel::simplify_passes() { return passes::pass_names(); }

void OnnxModel::edit(const GraphEdits& edits) {
  name_source(impl_->source, [&] { passes::apply(impl_->graph, edits); });
}

ModelCheck OnnxModel::check(const OnnxModel& original, const CheckOptions& options) const {
  ThreadPool threads(default_thread_count());
  CheckOptions within = options;
  within.memory_limit = memory_beside(options.memory_limit);
  return name_source(impl_->source,
                     [&] { return passes::check_equivalence(original.impl_->graph, impl_->graph, within, &threads); });
}

double OnnxModel::difference(const OnnxModel& other, int runs, uint64_t seed, uint64_t memory_limit) const {
  ThreadPool threads(default_thread_count());
  const CheckOptions options{.runs = runs, .seed = seed, .memory_limit = memory_beside(memory_limit)};
  return name_source(impl_->source, [&] {
    return passes::compare_whole(impl_->graph, other.impl_->graph, options, &threads).difference;
  });
}

bool OnnxModel::set_initializer(const std::string& name, float value) {
  return passes::set_scalar(impl_->graph, name, value);
}

int OnnxModel::zero_minus_infinity_pads() { return passes::zero_minus_infinity_pads(impl_->graph); }

std::vector<StructureBlock> structure(const OnnxModel& model) { return model::structure(model.impl_->graph); }

}  // namespace effdet
