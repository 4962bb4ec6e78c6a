// The list of passes with the reasons for its order, repeated until nothing changes.
#include "passes/pipeline.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "ir/messages.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rebatch.h"

namespace effdet::passes {
namespace {

struct Pass {
  std::string_view name;
  bool (*run)(ir::Graph&, const SimplifyOptions&, RewriteBudget&);
  bool SimplifyOptions::*enabled = nullptr;  ///< always on where null
};

/// A pass that takes no options.
template <bool (*kRun)(ir::Graph&)>
bool plain(ir::Graph& graph, const SimplifyOptions&, RewriteBudget&) {
  return kRun(graph);
}

/// A pass that makes constants.
template <bool (*kRun)(ir::Graph&, RewriteBudget&)>
bool growing(ir::Graph& graph, const SimplifyOptions&, RewriteBudget& budget) {
  return kRun(graph, budget);
}

// Branches first: what they hold is a graph like any other then. Constants next: they turn shape arithmetic into lists
// and fusion weights into numbers, which all later patterns look for. Identities next, since they stand between the
// nodes of a pattern. Duplicates before the convolution passes, because a Conv is folded into only where one node reads
// it. BatchNormalization before the affine rest: a Mul may follow it. Scales before stacks, so that the terms of a sum
// are final; pools and Pads last, since they need nothing from the others.
constexpr Pass kPasses[] = {
    {"inline_branches", plain<inline_branches>, &SimplifyOptions::fold_constants},
    {"fold_constants", fold_constants, &SimplifyOptions::fold_constants},
    {"eliminate_identity", plain<eliminate_identity>},
    {"merge_equal_constants", plain<merge_equal_constants>},
    {"merge_equal_nodes", plain<merge_equal_nodes>},
    {"fold_batch_norm", growing<fold_batch_norm>, &SimplifyOptions::fuse_batch_norm},
    {"fold_affine", growing<fold_affine>, &SimplifyOptions::fuse_batch_norm},
    {"merge_scales", plain<merge_scales>},
    {"stack_to_sum", plain<stack_to_sum>},
    {"sizes_to_scales", plain<sizes_to_scales>},
    {"pools_to_means", plain<pools_to_means>},
    {"fold_pad", plain<fold_pad>},
};

// Each round can only expose patterns to the next through nodes that it removed; real exports settle in three.
constexpr int kMaxRounds = 10;

/// Takes out what files say of nodes and values that are understood: shapes are inferred anew, and nodes change.
void drop_comments(ir::Graph& graph) {
  for (ir::Node& node : graph.nodes) {
    if (node.opaque) continue;
    node.extra.reset();
    for (ir::ValueId id : node.outputs)
      if (id != ir::kNoValue) graph.value(id).declared.reset();
  }
  if (!ir::holds_messages(graph) && graph.functions.empty()) graph.ir_version = 0;
}

/// What the file declares of the graph's outputs.
std::vector<ir::Message> declared_outputs(const ir::Graph& graph) {
  std::vector<ir::Message> declared;
  for (ir::ValueId id : graph.outputs) declared.push_back(graph.value(id).declared);
  return declared;
}

/// Whatever makes the outputs by now, they are what the file declares.
void redeclare_outputs(ir::Graph& graph, const std::vector<ir::Message>& declared) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const ir::ValueId id = graph.outputs[i];
    if (!graph.is_given(id) && std::ranges::find(graph.inputs, id) == graph.inputs.end())
      graph.value(id).declared = declared[i];
  }
}

/// The name, or that of the only input for "".
std::string name_of_input(const ir::Graph& graph, const std::string& name) {
  if (!name.empty()) return name;
  if (graph.inputs.size() != 1)
    fail(ErrorCode::kUsage, "the model has {} inputs: say which as name:1,3,512,512", graph.inputs.size());
  return graph.value(graph.inputs[0]).name;
}

/// Runs a pass and restores what the next one relies on.
bool run_pass(const Pass& pass, ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget) {
  if (pass.enabled != nullptr && !(options.*pass.enabled)) return false;
  if (options.skip_passes.contains(std::string(pass.name))) return false;
  const size_t before = graph.nodes.size();
  budget.count(graph);
  if (!pass.run(graph, options, budget)) return false;
  graph.compact();
  ir::verify(graph);
  ops::infer_shapes(graph);
  if (options.on_change) options.on_change(fmt::format("{}: {} -> {} nodes", pass.name, before, graph.nodes.size()));
  return true;
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const Pass& pass : kPasses) names.emplace_back(pass.name);
  return names;
}

void simplify(ir::Graph& graph, const SimplifyOptions& options) {
  RewriteBudget budget(graph);
  simplify(graph, options, budget);
}

void simplify(ir::Graph& graph, const SimplifyOptions& options, RewriteBudget& budget) {
  for (const std::string& name : options.skip_passes)
    if (std::ranges::find(kPasses, name, &Pass::name) == std::end(kPasses))
      fail(ErrorCode::kUsage, "there is no pass '{}', only {}", name, fmt::join(pass_names(), ", "));
  ir::verify(graph);
  for (const auto& [name, shape] : options.input_shapes) set_input_shape(graph, name_of_input(graph, name), shape);
  graph.compact();
  ops::infer_shapes(graph);
  const std::vector<ir::Message> declared = declared_outputs(graph);
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    changed = false;
    for (const Pass& pass : kPasses) changed = run_pass(pass, graph, options, budget) || changed;
  }
  drop_comments(graph);  // last: branches of an If may have brought some
  redeclare_outputs(graph, declared);
}

}  // namespace effdet::passes
