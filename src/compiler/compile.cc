// The stages of compilation, in their order, for one shape of the inputs or for several.
#include "compiler/compile.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "compiler/requirements.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "passes/rebatch.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
/// A rewrite with its name.
struct Compilation::Stage {
  std::string_view name;
  void (*run)(ir::Graph&, const LayerChoices&, passes::RewriteBudget&);
  /// Whether it is for a device; null: for every one.
  bool (*is_for)(const ops::Target&) = nullptr;
};

namespace {

using Stage = Compilation::Stage;

/// What maps become; nothing: they stay float32.
std::optional<DType> half_of(Precision precision) {
  if (precision == Precision::kBfloat16) return DType::kBF16;
  if (precision == Precision::kFloat16) return DType::kF16;
  return std::nullopt;
}

/// A rewrite that has no choice.
template <void (*rewrite)(ir::Graph&)>
void always(ir::Graph& graph, const LayerChoices&, passes::RewriteBudget&) {
  rewrite(graph);
}

/// A rewrite that has one.
template <void (*rewrite)(ir::Graph&, const LayerChoices&)>
void choosing(ir::Graph& graph, const LayerChoices& choices, passes::RewriteBudget&) {
  rewrite(graph, choices);
}

/// A rewrite that makes constants.
template <void (*rewrite)(ir::Graph&, passes::RewriteBudget&)>
void growing(ir::Graph& graph, const LayerChoices&, passes::RewriteBudget& budget) {
  rewrite(graph, budget);
}

void fold_dequantized(ir::Graph& graph, const LayerChoices&, passes::RewriteBudget& budget) {
  passes::fold_dequantized(graph, budget);
}

/// The same, but for codes that a layer may take as its weights.
void fold_other_codes(ir::Graph& graph, const LayerChoices&, passes::RewriteBudget& budget) {
  const ir::Uses uses(graph);
  passes::fold_dequantized(graph, budget, [&](const ir::Node& node) {
    const auto is_weights = [&](int reader) {
      const ir::Node& layer = graph.nodes[static_cast<size_t>(reader)];
      return layer.is("Conv") && layer.inputs[1] == node.outputs[0];
    };
    return quantized_weights(graph, uses, node.outputs[0]) &&
           std::ranges::all_of(uses.readers(node.outputs[0]), is_weights);
  });
}

bool packs_weights(const ops::Target& target) { return target.packs_weights; }
bool has_channels_last(const ops::Target& target) { return target.map_layout == ir::Layout::kNhwc; }

/// In this order, because each looks for what those before it made. First what is the same whatever is chosen: all that
/// makes weights.
constexpr Stage kFusions[] = {
    // Before whoever looks for neighbours: rounding that changes nothing would stand between them.
    {"take_quantization", always<compiler::take_quantization>},
    // Before whoever looks for constants.
    {"fold_other_codes", fold_other_codes},
    // After fold_other_codes, which makes the bias a number; before what is left becomes other nodes.
    {"fold_into_scales", growing<compiler::fold_into_scales>},
    {"split_batch_norms", always<compiler::split_batch_norms>},
    {"fuse_activations", always<compiler::fuse_activations>},
    {"fuse_windows", growing<compiler::fuse_windows>, packs_weights},
    // After fuse_windows, which takes weights as the codes that they are.
    {"fold_dequantized", fold_dequantized},
    {"fuse_conv_transpose", always<compiler::fuse_conv_transpose>},
    {"fuse_average_pool", always<compiler::fuse_average_pool>},
    {"fuse_lookups", growing<compiler::fuse_lookups>},
    {"fuse_matmul", growing<compiler::fuse_matmul>, packs_weights},
    // Before mix and residuals: an activation between a Conv and a sum belongs to the Conv.
    {"absorb_activations", always<compiler::absorb_activations>},
    // Before squeeze-excite: means are of what a layer gives at last.
    {"absorb_steps", always<compiler::absorb_steps>},
    {"fuse_squeeze_excite", growing<compiler::fuse_squeeze_excite>},
};

/// What follows, where choices are made. Nothing here depends on the size of the batch but the names of choices.
constexpr Stage kChoices[] = {
    // After squeeze-excite, which looks for depthwise layers.
    {"fuse_expand_depthwise", choosing<compiler::fuse_expand_depthwise>},
    // Before residuals, which would take the last Add of a weighted sum apart.
    {"fuse_mix", always<compiler::fuse_mix>},
    {"fuse_residuals", always<compiler::fuse_residuals>},
    // Again: sums have become Mix and residuals, which absorb activations too.
    {"absorb_activations", always<compiler::absorb_activations>},
    {"absorb_steps", always<compiler::absorb_steps>},
    // After everything that looks for sums, products and activations.
    {"fuse_elementwise", always<compiler::fuse_elementwise>},
    // After everything that looks for a Conv.
    {"fuse_depthwise_pointwise", choosing<compiler::fuse_depthwise_pointwise>},
    // After fuse_elementwise, which leaves fewer nodes to follow.
    {"fuse_tables", always<compiler::fuse_tables>},
    {"choose_products", choosing<compiler::choose_products>},
    {"assign_layouts", always<compiler::assign_layouts>, has_channels_last},
    // After everything that looks for operators: these have the same names on codes.
    {"absorb_quantization", always<compiler::absorb_quantization>, has_channels_last},
};

/// Rewrites name new values after those that they stand for. Where the graph has that name already, the newcomer, which
/// stands after it in the list, takes another.
void make_names_unique(ir::Graph& graph) {
  std::unordered_map<std::string, int> next;  // by name: the number to try first after it; 0 before it was seen
  for (size_t i = 0; i < graph.value_count(); ++i) next.emplace(graph.value(static_cast<ir::ValueId>(i)).name, 0);
  for (size_t i = 0; i < graph.value_count(); ++i) {
    std::string& name = graph.value(static_cast<ir::ValueId>(i)).name;
    int& number = next.at(name);
    if (std::exchange(number, std::max(number, 2)) == 0) continue;
    std::string unique;
    do unique = name + "_" + std::to_string(number++);
    while (next.contains(unique));
    next.emplace(unique, 2);
    name = unique;
  }
}

/// What Constant nodes make becomes constants of the graph, however large, and outputs too (anchors, in some exports),
/// which simplification leaves as they are: a step has no tensors among its attributes.
void fold_constant_nodes(ir::Graph& graph) {
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    if (!node.is("Constant")) continue;
    ir::Value& value = graph.value(node.outputs[0]);
    value.constant = ops::evaluate_node(node, graph.opset, {}).at(0);
    value.dtype = value.constant->dtype();
    value.shape = value.constant->shape();
    drop[i] = true;
  }
  passes::erase_nodes(graph, drop);
}

/// The same for ConstantOfShape, where it makes more than simplification folds: Expand repeats a constant.
void repeat_constants(ir::Graph& graph) {
  for (ir::Node& node : graph.nodes) {
    if (!node.is("ConstantOfShape")) continue;
    const ir::Attribute* value = node.find("value");
    const Tensor* filler = value != nullptr ? std::get_if<Tensor>(value) : nullptr;
    const Tensor scalar = filler != nullptr ? filler->reshaped({}) : Tensor(DType::kF32, {});
    node.op = "Expand";
    node.inputs.insert(node.inputs.begin(), graph.add_constant(node.name + "_filler", scalar));
    node.attributes.clear();
  }
}

/// A graph output that is an input, a constant or another output has no memory of its own: an Identity gives it some.
void separate_outputs(ir::Graph& graph) {
  const ir::Uses uses(graph);
  std::vector<bool> seen(graph.value_count(), false);
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    ir::ValueId& output = graph.outputs[i];
    const bool is_first = !seen[static_cast<size_t>(output)];
    seen[static_cast<size_t>(output)] = true;
    if (is_first && uses.producer(output) >= 0) continue;
    const std::string name = graph.value(output).name + "_copy" + std::to_string(i);
    const ir::ValueId source = std::exchange(output, graph.add_node("Identity", name, {output}));
    if (graph.constant(source) == nullptr) continue;
    std::swap(graph.value(source).name, graph.value(output).name);  // only who runs the model knows the constant
  }
}

/// An output that copies an input has the input's name, as in the file.
void name_copies_of_inputs(ir::Graph& graph, const std::vector<std::string>& names) {
  const ir::Uses uses(graph);
  for (size_t i = 0; i < names.size(); ++i) {
    const int producer = uses.producer(graph.outputs[i]);
    if (producer < 0 || !graph.nodes[static_cast<size_t>(producer)].is("Identity")) continue;
    const ir::ValueId source = graph.nodes[static_cast<size_t>(producer)].inputs[0];
    const bool of_input = std::ranges::find(graph.inputs, source) != graph.inputs.end();
    if (of_input && graph.value(source).name == names[i]) graph.value(graph.outputs[i]).name = names[i];
  }
}

}  // namespace

Compilation::Compilation(ir::Graph graph, const CompileOptions& options)
    : graph_(std::move(graph)), options_(options), budget_(ir::Graph{}) {
  if (const auto half = half_of(options_.precision); half && !options_.target.computes_in(*half))
    fail(ErrorCode::kUnsupported, "the device '{}' does not compute in {}", options_.target.name, dtype_name(*half));
  for (const ir::ValueId id : graph_.outputs) output_names_.push_back(graph_.value(id).name);
  for (const auto& [name, shape] : options_.input_shapes) passes::set_input_shape(graph_, name, shape);
  require_static_shapes(graph_);
  if (options_.aipp) {
    insert_aipp(graph_, *options_.aipp);
    report("insert_aipp");
  }
  fold_constant_nodes(graph_);
  budget_ = passes::RewriteBudget(graph_, options_.most_growth);
  ops::infer_shapes(graph_);
  passes::spell_out(graph_);  // one form of attention and of quantized models from here on
  passes::simplify(graph_, {}, budget_);
  if (passes::join_branches(graph_)) {
    fold_constant_nodes(graph_);
    ops::infer_shapes(graph_);
    passes::spell_out(graph_);  // what the branches held
    passes::simplify(graph_, {}, budget_);
  }
  require_supported(graph_);
  repeat_constants(graph_);
  report("simplify");
  // No optimisation: the shapes of all that reads the boxes are not known before.
  run("fuse_box_selection", [&] { fuse_box_selection(graph_, budget_); });
  run("fuse_dynamic_part", [&] { fuse_dynamic_part(graph_); });
  require_known_sizes(graph_);
  run(kFusions);
}

void Compilation::report(std::string_view stage) const {
  if (options_.on_stage) options_.on_stage(stage, graph_);
}

void Compilation::run(std::string_view stage, FunctionRef<void()> rewrite) {
  budget_.count(graph_);
  rewrite();
  make_names_unique(graph_);
  ir::verify(graph_);
  ops::infer_shapes(graph_);
  report(stage);
}

void Compilation::run(std::span<const Stage> stages) {
  for (const Stage& stage : stages)
    if (options_.fuse && (stage.is_for == nullptr || stage.is_for(options_.target)))
      run(stage.name, [&] { stage.run(graph_, options_.choices, budget_); });
}

artifact::Program Compilation::place() && {
  run(kChoices);
  if (const auto half = half_of(options_.precision); options_.fuse && half)
    run("assign_types", [&] { assign_types(graph_, *half, options_.keep_float32); });
  separate_outputs(graph_);
  graph_.compact();
  make_names_unique(graph_);
  name_copies_of_inputs(graph_, output_names_);
  ops::infer_shapes(graph_);
  return plan_memory(std::move(graph_), options_.target.name);
}

/// Places the whole batch to find out, where there is one.
int64_t Compilation::split_batch() {
  if (graph_.inputs.size() != 1) return 1;
  const ir::Value input = graph_.value(graph_.inputs[0]);  // a copy: giving it another shape may add values
  const int64_t batch = input.shape->empty() ? 1 : input.shape->front();
  if (batch < 2) return 1;
  Compilation whole = *this;
  whole.options_.on_stage = nullptr;
  whole.options_.choices.on_fuse = nullptr;
  whole.options_.choices.on_product = nullptr;
  Shape shape = *input.shape;
  shape[0] = images_of_micro_batch(std::move(whole).place());
  if (shape[0] == batch) return 1;
  try {
    ir::Graph smaller = graph_;
    passes::set_input_shape(smaller, input.name, shape);
    graph_ = std::move(smaller);
  } catch (const Error&) {
    return 1;  // the batch is baked in
  }
  return batch / shape[0];
}

artifact::Program Compilation::finish(const LayerChoices& choices) const {
  Compilation own = *this;
  own.options_.choices = choices;
  if (options_.target.joins_pairs) own.options_.choices.other_fuse = LayerChoices::Others::kYes;
  const int64_t parts = options_.split_batch && !options_.target.keeps_batch ? own.split_batch() : 1;
  artifact::Program program = std::move(own).place();
  program.micro_batches = parts;
  artifact::verify_program(program, "compiled program");
  return program;
}

artifact::Program compile(ir::Graph graph, const CompileOptions& options) {
  return Compilation(std::move(graph), options).finish(options.choices);
}

CompileOptions with_shapes(CompileOptions options, const std::map<std::string, Shape>& shapes) {
  for (const auto& [name, shape] : shapes) options.input_shapes[name] = shape;
  return options;
}

std::vector<artifact::Program> compile_plans(const ir::Graph& graph, const CompileOptions& options,
                                             std::span<const std::map<std::string, Shape>> shapes) {
  std::vector<artifact::Program> plans;
  ConstantSharer sharer;
  CompileOptions own = options;
  for (const auto& plan_shapes : shapes) {
    std::string label;
    for (const auto& [name, shape] : plan_shapes)
      label += fmt::format("{}{}:{}", label.empty() ? "" : ";", name, shape_text(shape));
    try {
      plans.push_back(compile(graph, with_shapes(own, plan_shapes)));
    } catch (const Error& error) {
      if (label.empty()) throw;
      fail(error.code(), "for the shape {}: {}", label, error.what());
    }
    // At once, so that no two copies of the weights stay; what only this plan has leaves less for the next.
    const uint64_t added = sharer.share(plans.back());
    if (plans.size() > 1) own.most_growth -= std::min(own.most_growth, added);
  }
  artifact::verify_plans(plans, "compiled plans");
  return plans;
}

}  // namespace effdet::compiler
