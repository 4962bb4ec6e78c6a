// The stages of compilation, in their order, for one shape of the inputs or for several.
#include "compiler/compile.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "compiler/passes.h"
#include "ops/op.h"
#include "passes/pipeline.h"
#include "passes/rebatch.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

struct Stage {
  std::string_view name;
  void (*run)(ir::Graph&, const LayerChoices&, passes::RewriteBudget&);
};

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

/// In this order, because each looks for what those before it made.
constexpr Stage kFusions[] = {
    {"split_batch_norms", always<compiler::split_batch_norms>},
    {"fuse_activations", always<compiler::fuse_activations>},
    {"fuse_windows", growing<compiler::fuse_windows>},
    {"fuse_conv_transpose", always<compiler::fuse_conv_transpose>},
    {"fuse_average_pool", always<compiler::fuse_average_pool>},
    {"fuse_lookups", growing<compiler::fuse_lookups>},
    {"fuse_matmul", growing<compiler::fuse_matmul>},
    // Before mix and residuals: an activation between a Conv and a sum belongs to the Conv.
    {"absorb_activations", always<compiler::absorb_activations>},
    // Before squeeze-excite: means are of what a layer gives at last.
    {"absorb_steps", always<compiler::absorb_steps>},
    {"fuse_squeeze_excite", growing<compiler::fuse_squeeze_excite>},
    // Behind squeeze-excite, which looks for depthwise layers.
    {"fuse_expand_depthwise", choosing<compiler::fuse_expand_depthwise>},
    // Before residuals, which would take the last Add of a weighted sum apart.
    {"fuse_mix", always<compiler::fuse_mix>},
    {"fuse_residuals", always<compiler::fuse_residuals>},
    // Again: sums have become Mix and residuals, which absorb activations too.
    {"absorb_activations", always<compiler::absorb_activations>},
    {"absorb_steps", always<compiler::absorb_steps>},
    // Behind everything that looks for sums, products and activations.
    {"fuse_elementwise", always<compiler::fuse_elementwise>},
    // Behind everything that looks for a Conv.
    {"fuse_depthwise_pointwise", choosing<compiler::fuse_depthwise_pointwise>},
    {"choose_products", choosing<compiler::choose_products>},
    {"assign_layouts", always<compiler::assign_layouts>},
};

bool is_fixed(int64_t dim) { return dim >= 1; }

/// "x.1:1,3,512,512": what an input's shape may be, as --input_shape takes it. One sample, and pictures of 512 pixels.
std::string example_shape(const ir::Value& input) {
  const Shape declared = input.shape.value_or(Shape{-1, 3, -1, -1});
  std::string text = input.name;
  for (size_t i = 0; i < declared.size(); ++i) {
    const bool is_side = declared.size() == 4 && i >= 2;
    text += fmt::format("{}{}", i == 0 ? ':' : ',', is_fixed(declared[i]) ? declared[i] : is_side ? 512 : 1);
  }
  return text;
}

void require_static_shapes(const ir::Graph& graph) {
  std::vector<std::string> examples, free;
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& value = graph.value(id);
    if (value.shape && std::ranges::all_of(*value.shape, is_fixed)) continue;
    free.push_back(fmt::format("'{}' ({})", value.name, value.shape ? shape_text(*value.shape) : "unknown"));
    examples.push_back(example_shape(value));
  }
  if (!free.empty())
    bad_input("the shape of {} {} is free, where -1 stands; give one, as in --input_shape=\"{}\"",
              free.size() == 1 ? "input" : "inputs", fmt::join(free, ", "), fmt::join(examples, ";"));
}

/// Behind the last rewrite that gives such outputs a size.
void require_known_sizes(const ir::Graph& graph) {
  const auto is_known = [&](ir::ValueId id) { return id == ir::kNoValue || passes::is_static(graph.value(id).shape); };
  for (const ir::Node& node : graph.nodes)
    if (std::ranges::all_of(node.inputs, is_known) && !std::ranges::all_of(node.outputs, is_known))
      bad_input(
          "node '{}' ({}): how many values it gives depends on the image, and a compiled model has to know; take a "
          "fixed number of boxes behind it, as in boxes[keep[:100]], or compile what is before it with --out_nodes",
          node.name, node.op);
}

/// Rewrites name new values after those that they stand for. Where the graph has that name already, the newcomer, which
/// stands behind it in the list, takes another.
void make_names_unique(ir::Graph& graph) {
  std::unordered_map<std::string, int> next;  // by name: the number to try first behind it; 0 before it was seen
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

/// Operators that are not known may stand behind what is wanted.
void require_supported(const ir::Graph& graph) {
  try {
    ops::require_supported(graph);
  } catch (const Error& error) {
    fail(error.code(), "{}; --out_nodes compiles what is before it", error.what());
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

/// Compiles for the whole batch; the program is not verified yet.
artifact::Program compile_batch(ir::Graph graph, const CompileOptions& options) {
  const auto report = [&](std::string_view stage) {
    if (options.on_stage) options.on_stage(stage, graph);
  };
  std::vector<std::string> output_names;
  for (const ir::ValueId id : graph.outputs) output_names.push_back(graph.value(id).name);
  for (const auto& [name, shape] : options.input_shapes) passes::set_input_shape(graph, name, shape);
  require_static_shapes(graph);
  if (options.aipp) {
    compiler::insert_aipp(graph, *options.aipp);
    report("insert_aipp");
  }
  fold_constant_nodes(graph);
  passes::RewriteBudget budget(graph, options.most_growth);
  passes::simplify(graph, {}, budget);
  require_supported(graph);
  repeat_constants(graph);
  report("simplify");
  const auto run = [&](std::string_view stage, auto&& rewrite) {
    budget.count(graph);
    rewrite(graph);
    make_names_unique(graph);
    ir::verify(graph);
    ops::infer_shapes(graph);
    report(stage);
  };
  // No optimisation: the shapes of all that reads the boxes are not known before.
  run("fuse_box_selection", [&](ir::Graph& g) { fuse_box_selection(g, budget); });
  require_known_sizes(graph);
  if (options.fuse) {
    for (const Stage& stage : kFusions) run(stage.name, [&](ir::Graph& g) { stage.run(g, options.choices, budget); });
    if (options.precision == CompileOptions::Precision::kBfloat16)
      run("assign_types", [&](ir::Graph& g) { assign_types(g, DType::kBF16, options.keep_float32); });
  }
  separate_outputs(graph);
  graph.compact();
  make_names_unique(graph);
  name_copies_of_inputs(graph, output_names);
  ops::infer_shapes(graph);
  return compiler::plan_memory(std::move(graph));
}

/// How many times smaller the batch of a turn is, and the options for it. Compiles to find out, where there is a batch.
int64_t split_batch(ir::Graph graph, CompileOptions& options) {
  for (const auto& [name, shape] : options.input_shapes) passes::set_input_shape(graph, name, shape);
  require_static_shapes(graph);
  if (graph.inputs.size() != 1) return 1;
  const ir::Value input = graph.value(graph.inputs[0]);  // a copy: giving it another shape may add values
  const int64_t batch = input.shape->empty() ? 1 : input.shape->front();
  if (batch < 2) return 1;
  CompileOptions trial = options;
  trial.on_stage = nullptr;
  trial.choices.on_fuse = nullptr;
  trial.choices.on_product = nullptr;
  Shape shape = *input.shape;
  shape[0] = images_of_turn(compile_batch(graph, trial));
  if (shape[0] == batch) return 1;
  try {
    passes::set_input_shape(graph, input.name, shape);
  } catch (const Error&) {
    return 1;  // the batch is baked in
  }
  options = with_shapes(options, {{input.name, shape}});
  return batch / shape[0];
}

}  // namespace

artifact::Program compile(ir::Graph graph, const CompileOptions& options) {
  CompileOptions of_turn = options;
  const int64_t turns = options.split_batch ? split_batch(graph, of_turn) : 1;
  artifact::Program program = compile_batch(std::move(graph), of_turn);
  program.turns = turns;
  artifact::verify_program(program, "compiled program");
  return program;
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
