#include "passes/pipeline.h"

#include "base/error.h"
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/rebatch.h"

namespace effdet::passes {
namespace {

struct Pass {
  std::string_view name;
  bool (*run)(ir::Graph&);
  bool SimplifyOptions::*enabled = nullptr;  ///< always on where null
};

// Constants first: they turn shape arithmetic into lists and fusion weights into numbers, which all later patterns look
// for. Identities next, since they stand between the nodes of a pattern. Duplicates before the convolution passes,
// because a Conv is folded into only where one node reads it. BatchNormalization before the affine rest: a Mul may
// follow it. Scales before stacks, so that the terms of a sum are final; Pads last, since they need nothing from the
// others.
constexpr Pass kPasses[] = {
    {"fold_constants", fold_constants, &SimplifyOptions::fold_constants},
    {"eliminate_identity", eliminate_identity},
    {"merge_equal_constants", merge_equal_constants},
    {"merge_equal_nodes", merge_equal_nodes},
    {"fold_batch_norm", fold_batch_norm, &SimplifyOptions::fuse_bn},
    {"fold_affine", fold_affine, &SimplifyOptions::fuse_bn},
    {"merge_scales", merge_scales},
    {"stack_to_sum", stack_to_sum},
    {"sizes_to_scales", sizes_to_scales},
    {"fold_pad", fold_pad, &SimplifyOptions::fold_pads},
};

// Each round can only expose patterns to the next through nodes that it removed; real exports settle in three.
constexpr int kMaxRounds = 10;

/// Runs a pass and restores what the next one relies on.
bool run_pass(const Pass& pass, ir::Graph& graph, const SimplifyOptions& options) {
  if (pass.enabled != nullptr && !(options.*pass.enabled)) return false;
  const size_t before = graph.nodes.size();
  if (!pass.run(graph)) return false;
  graph.compact();
  ir::verify(graph);
  ops::infer_shapes(graph);
  if (options.log) options.log(fmt::format("{}: {} -> {} nodes", pass.name, before, graph.nodes.size()));
  return true;
}

}  // namespace

void simplify(ir::Graph& graph, const SimplifyOptions& options) {
  ir::verify(graph);
  for (const auto& [name, shape] : options.input_shapes) set_input_shape(graph, name, shape);
  graph.compact();
  ops::infer_shapes(graph);
  for (int round = 0; round < kMaxRounds; ++round) {
    bool changed = false;
    for (const Pass& pass : kPasses) changed = run_pass(pass, graph, options) || changed;
    if (!changed) return;
  }
}

}  // namespace effdet::passes
