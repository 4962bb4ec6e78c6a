// Elementwise operators that belong together become ai.effdet::Elementwise.
#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include "compiler/elementwise_steps.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// Gathers the nodes that lead to one, as long as nobody else reads what they make and all work on the same shape.
class Group {
 public:
  Group(const ir::Graph& graph, const ir::Uses& uses, const std::vector<std::optional<NodeSteps>>& steps, size_t root)
      : graph_(graph), uses_(uses), steps_(steps), root_(root) {
    take(root);
    while (!candidates_.empty()) {
      const size_t next = candidates_.top();
      candidates_.pop();
      if (!members_.contains(next) && belongs(next)) take(next);
    }
  }

  /// The program of all members on the inputs, in order; inputs are filled in.
  ops::ElementwiseProgram program(std::vector<ir::ValueId>& inputs) const {
    ops::ElementwiseProgram all;
    std::map<ir::ValueId, ops::ElementwiseOperand> values;
    for (const size_t member : members_) {
      const NodeSteps& steps = *steps_[member];
      const size_t before = all.size();
      for (ops::ElementwiseStep step : steps.program) {
        for (ops::ElementwiseOperand& operand : step.operands) {
          if (operand.kind == ops::ElementwiseOperand::Kind::kStep) operand.index += before;
          if (operand.kind != ops::ElementwiseOperand::Kind::kInput) continue;
          const ir::ValueId id = steps.inputs[operand.index];
          const auto [known, is_new] = values.try_emplace(id, ops::ElementwiseOperand::input(inputs.size()));
          if (is_new) inputs.push_back(id);
          operand = known->second;
        }
        all.push_back(std::move(step));
      }
      values[graph_.nodes[member].outputs[0]] = ops::ElementwiseOperand::step(all.size() - 1);
    }
    return all;
  }

  const std::set<size_t>& members() const { return members_; }

 private:
  /// Candidates come last first, so that all readers that may be members are.
  bool belongs(size_t index) const {
    const ir::ValueId made = graph_.nodes[index].outputs[0];
    const auto is_member = [&](int reader) { return members_.contains(static_cast<size_t>(reader)); };
    return !uses_.is_output(made) && std::ranges::all_of(uses_.readers(made), is_member) &&
           graph_.value(made).shape == graph_.value(graph_.nodes[root_].outputs[0]).shape &&
           program_size_ + steps_[index]->program.size() <= ops::kMaxElementwiseSteps &&
           inputs_.size() - 1 + steps_[index]->inputs.size() <= ops::kMaxElementwiseInputs;
  }

  void take(size_t index) {
    members_.insert(index);
    program_size_ += steps_[index]->program.size();
    inputs_.erase(graph_.nodes[index].outputs[0]);
    inputs_.insert(steps_[index]->inputs.begin(), steps_[index]->inputs.end());
    for (const ir::ValueId id : steps_[index]->inputs)
      if (const int producer = uses_.producer(id); producer >= 0 && steps_[static_cast<size_t>(producer)])
        candidates_.push(static_cast<size_t>(producer));
  }

  const ir::Graph& graph_;
  const ir::Uses& uses_;
  const std::vector<std::optional<NodeSteps>>& steps_;
  size_t root_;
  std::set<size_t> members_;
  std::priority_queue<size_t> candidates_;
  std::set<ir::ValueId> inputs_;  // of all members, made by none
  size_t program_size_ = 0;
};

}  // namespace

void fuse_elementwise(ir::Graph& graph) {
  const ir::Uses uses(graph);
  std::vector<std::optional<NodeSteps>> steps;
  for (const ir::Node& node : graph.nodes) {
    steps.push_back(elementwise_steps(graph, node));
    // A node of numbers alone, which something kept from being folded.
    if (steps.back() && steps.back()->inputs.empty()) steps.back().reset();
  }
  std::vector<bool> drop(graph.nodes.size(), false);
  for (size_t root = graph.nodes.size(); root-- > 0;) {
    if (drop[root] || !steps[root]) continue;
    const Group group(graph, uses, steps, root);
    ir::Node& node = graph.nodes[root];
    if (group.members().size() == 1 && node.domain == ir::kFusedDomain) continue;  // an Activation has its own kernel
    std::vector<ir::ValueId> inputs;
    const ops::ElementwiseProgram program = group.program(inputs);
    for (const size_t member : group.members())
      if (member != root) drop[member] = true;
    become_fused(node, "Elementwise", inputs, {{"program", ops::elementwise_text(program)}});
  }
  passes::erase_nodes(graph, drop);
  graph.compact();
}

}  // namespace effdet::compiler
