// Elementwise operators of one value after a layer become steps of its attribute `activation`.
#include "compiler/elementwise_steps.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// A layer's mean is that of its output: nothing comes after it any more.
bool takes_steps(const ir::Node* node) {
  return node != nullptr && node->outputs.size() == 1 && ops::card_of(*node).absorbs == ops::Absorbs::kSteps;
}

/// A sum of maps, which may become a Mix.
bool is_sum(const ir::Graph& graph, const ir::Node& node) {
  const auto is_constant = [&](ir::ValueId id) { return graph.constant(id) != nullptr; };
  return (node.is("Add") || node.is("Sum")) && std::ranges::none_of(node.inputs, is_constant);
}

/// The steps that follow a value, each for nobody but the next, and the nodes that they were.
struct Chain {
  ops::ElementwiseProgram program;
  std::vector<size_t> nodes;
  ir::ValueId end;
};

/// Appends a node's program to one of one input, of whose result the node makes something.
void append(ops::ElementwiseProgram& program, const ops::ElementwiseProgram& more) {
  using Kind = ops::ElementwiseOperand::Kind;
  const size_t before = program.size();
  for (ops::ElementwiseStep step : more) {
    for (ops::ElementwiseOperand& operand : step.operands) {
      if (operand.kind == Kind::kStep) operand.index += before;
      if (operand.kind == Kind::kInput && before > 0) operand = ops::ElementwiseOperand::step(before - 1);
    }
    program.push_back(std::move(step));
  }
}

Chain chain_behind(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId start) {
  Chain chain{.program = {}, .nodes = {}, .end = start};
  for (int reader; (reader = uses.sole_reader(chain.end)) >= 0;) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(reader)];
    const auto steps = elementwise_steps(graph, node);
    if (!steps || steps->inputs.size() != 1 || graph.value(node.outputs[0]).shape != graph.value(start).shape) break;
    if (chain.program.size() + steps->program.size() > ops::kMaxElementwiseSteps / 2) break;
    // A scale before a sum is one of the sum's weights.
    const int next = uses.sole_reader(node.outputs[0]);
    if (node.is("Mul") && next >= 0 && is_sum(graph, graph.nodes[static_cast<size_t>(next)])) break;
    append(chain.program, steps->program);
    chain.nodes.push_back(static_cast<size_t>(reader));
    chain.end = node.outputs[0];
  }
  return chain;
}

}  // namespace

void absorb_steps(ir::Graph& graph) {
  const ir::Uses uses(graph);
  std::vector<bool> drop(graph.nodes.size(), false);
  for (ir::Node& last : graph.nodes) {
    if (!takes_steps(&last) && !last.is("Concat")) continue;
    const std::vector<ir::Node*> producers = ir::producers_before(graph, uses, last);
    if (!std::ranges::all_of(producers, takes_steps)) continue;
    const Chain chain = chain_behind(graph, uses, last.outputs[0]);
    if (chain.nodes.empty()) continue;
    for (ir::Node* producer : producers) ops::append_steps(*producer, "activation", chain.program);
    last.outputs[0] = chain.end;
    for (const size_t node : chain.nodes) drop[node] = true;
  }
  passes::erase_nodes(graph, drop);
  graph.compact();
}

}  // namespace effdet::compiler
