// Replaces Ifs by the branch that is taken where that is known, and for whoever runs the graph by both.
#include <algorithm>
#include <optional>

#include "base/error.h"
#include "ops/shape_walk.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

using Branch = std::shared_ptr<const ir::OpaqueAttribute>;

/// Goes over a graph's nodes in order and puts the nodes of branches among them.
class BranchInliner {
 public:
  /// both: branches of Ifs whose condition is not known are taken in, too.
  BranchInliner(ir::Graph& graph, bool both) : graph_(graph), both_(both), names_(graph), walk_(graph, known_) {}

  bool run() {
    for (ir::Node& node : std::exchange(graph_.nodes, {})) add(std::move(node));
    graph_.nodes = std::move(nodes_);
    return changed_;
  }

 private:
  /// Nesting is bounded by the reader.
  void add(ir::Node node) {
    if (auto inner = taken_branch(node)) {
      node.attributes.clear();  // or each level of a nest would hold all that is in it
      inline_graph(node, *inner);
      return pass_on(node, *inner);
    }
    if (both_ && is_if(node)) {
      auto then = branch(node, "then_branch"), otherwise = branch(node, "else_branch");
      if (then && otherwise) {
        node.attributes.clear();
        return join(node, *then, *otherwise);
      }
    }
    node.conditional = depth_ > 0;
    walk_.visit(node);
    nodes_.push_back(std::move(node));
  }

  static bool is_if(const ir::Node& node) {
    return node.op == "If" && node.domain.empty() && node.inputs.size() == node.captures.size() + 1;
  }

  /// The branch of an If whose condition is known.
  std::optional<ir::Graph> taken_branch(const ir::Node& node) const {
    if (!is_if(node)) return std::nullopt;
    const Tensor* condition = content(node.inputs[0]);
    if (condition == nullptr || condition->dtype() != DType::kBool || condition->numel() != 1) return std::nullopt;
    return branch(node, condition->data<bool>()[0] ? "then_branch" : "else_branch");
  }

  static std::optional<ir::Graph> branch(const ir::Node& node, std::string_view attribute) {
    const ir::Attribute* found = node.find(attribute);
    const Branch* branch = found == nullptr ? nullptr : std::get_if<Branch>(found);
    if (branch == nullptr) return std::nullopt;
    try {
      ir::Graph graph = (*branch)->graph();
      return fits(node, graph) ? std::optional(std::move(graph)) : std::nullopt;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUnsupported) return std::nullopt;
      throw;
    }
  }

  const Tensor* content(ir::ValueId id) const {
    if (id == ir::kNoValue) return nullptr;
    if (const Tensor* constant = graph_.constant(id)) return constant;
    const auto found = known_.whole.find(id);
    return found == known_.whole.end() ? nullptr : &found->second;
  }

  /// A branch takes nothing but what it reads from around the node.
  static bool fits(const ir::Node& node, const ir::Graph& branch) {
    return branch.outputs.size() >= node.outputs.size() && std::ranges::all_of(branch.inputs, [&](ir::ValueId id) {
             return std::ranges::find(node.captures, branch.value(id).name) != node.captures.end();
           });
  }

  /// Puts the branch's nodes here; its outputs become values of the graph.
  void inline_graph(const ir::Node& node, ir::Graph& branch) {
    changed_ = true;
    std::vector<ir::ValueId> ids(branch.value_count(), ir::kNoValue);
    for (ir::ValueId id : branch.inputs) {
      const auto capture = std::ranges::find(node.captures, branch.value(id).name) - node.captures.begin();
      ids[static_cast<size_t>(id)] = node.inputs[1 + static_cast<size_t>(capture)];
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] != ir::kNoValue) continue;
      ir::Value value = std::move(branch.value(static_cast<ir::ValueId>(i)));
      value.name = names_.make(node.name + "/" + value.name);
      ids[i] = graph_.add_value(std::move(value));
    }
    const auto outer = [&](ir::ValueId id) { return id == ir::kNoValue ? id : ids[static_cast<size_t>(id)]; };
    for (ir::Node& inner : branch.nodes) {
      std::ranges::transform(inner.inputs, inner.inputs.begin(), outer);
      std::ranges::transform(inner.outputs, inner.outputs.begin(), outer);
      inner.name = node.name + "/" + inner.name;
      add(std::move(inner));
    }
    std::ranges::transform(branch.outputs, branch.outputs.begin(), outer);
  }

  static std::string name_of_output(const ir::Node& node, size_t i) {
    return i == 0 ? node.name : fmt::format("{}_{}", node.name, i);
  }

  /// What the only branch makes is what the node made.
  void pass_on(const ir::Node& node, const ir::Graph& branch) {
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ir::kNoValue)
        add({"Identity", "", name_of_output(node, i), {branch.outputs[i]}, {node.outputs[i]}, {}});
  }

  void join(const ir::Node& node, ir::Graph& then, ir::Graph& otherwise) {
    ++depth_;
    inline_graph(node, then);
    inline_graph(node, otherwise);
    --depth_;
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ir::kNoValue)
        add({"Choose",
             std::string(ir::kFusedDomain),
             name_of_output(node, i),
             {node.inputs[0], then.outputs[i], otherwise.outputs[i]},
             {node.outputs[i]},
             {}});
  }

  ir::Graph& graph_;
  bool both_;
  int depth_ = 0;  ///< branches around, of which it is not known whether they are taken
  UniqueNames names_;
  ops::KnownValues known_;
  ops::ShapeWalk walk_;
  std::vector<ir::Node> nodes_;
  bool changed_ = false;
};

bool has_branches(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const ir::Node& node) { return node.op == "If"; });
}

}  // namespace

bool inline_branches(ir::Graph& graph) { return has_branches(graph) && BranchInliner(graph, false).run(); }

bool join_branches(ir::Graph& graph) { return has_branches(graph) && BranchInliner(graph, true).run(); }

}  // namespace effdet::passes
