// Sums of scaled and enlarged maps, as a BiFPN's nodes are, become ai.effdet::Mix.
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused/mix.h"

namespace effdet::compiler {
namespace {

/// One map of a sum, with its weight.
struct Term {
  ir::ValueId value;
  float weight;
};

class SumMatcher {
 public:
  SumMatcher(ir::Graph& graph, const ir::Uses& uses) : graph_(graph), uses_(uses) {}

  /// Whether the node is the root of a sum worth a Mix: scaled, enlarged, activated, or of three maps and more.
  bool match(const ir::Node& root) {
    if (!is_sum(root) || !is_static_map(graph_.value(root.outputs[0]))) return false;
    // A sum that feeds a larger sum belongs to that.
    const int reader = uses_.sole_reader(root.outputs[0]);
    if (reader >= 0 && is_sum(graph_.nodes[static_cast<size_t>(reader)])) return false;
    const bool activated = reader >= 0 && is_fused(graph_.nodes[static_cast<size_t>(reader)], "Activation");
    root_ = &root;
    return collect(root, 0) && terms_.size() <= ops::kMaxMixInputs && (special_ || activated || terms_.size() > 2);
  }

  const std::vector<Term>& terms() const { return terms_; }

 private:
  static bool is_sum(const ir::Node& node) { return node.is("Add") || node.is("Sum"); }

  const ir::Node* inner(ir::ValueId id) const {
    const int producer = uses_.producer(id);
    return producer >= 0 && uses_.sole_reader(id) >= 0 ? &graph_.nodes[static_cast<size_t>(producer)] : nullptr;
  }

  /// A chain of sums that is longer than a Mix has inputs is not followed to its end, however long it is.
  bool collect(const ir::Node& sum, size_t depth) {
    if (depth == ops::kMaxMixInputs) return false;
    for (ir::ValueId id : sum.inputs) {
      const ir::Node* node = inner(id);
      if (node != nullptr && is_sum(*node)) {
        if (!collect(*node, depth + 1)) return false;
      } else if (!add_term(id)) {
        return false;
      }
    }
    return true;
  }

  bool add_term(ir::ValueId id) {
    float weight = 1;
    if (const auto scale = scaled(graph_, inner(id))) {
      weight = scale->factor;
      id = scale->x;
      special_ = true;
    }
    if (const ir::Node* resize = inner(id); resize != nullptr && is_nearest(*resize)) {
      id = resize->inputs[0];
      special_ = true;
    } else if (graph_.value(id).shape != graph_.value(root_->outputs[0]).shape) {
      return false;  // a broadcast
    }
    if (!is_static_map(graph_.value(id))) return false;
    terms_.push_back({id, weight});
    return true;
  }

  bool is_nearest(const ir::Node& node) const {
    if (!node.is("Resize") || node.get_string("mode", "nearest") != "nearest" ||
        node.get_string("coordinate_transformation_mode", "half_pixel") != "asymmetric" ||
        node.get_string("nearest_mode", "round_prefer_floor") != "floor")
      return false;
    if (graph_.value(node.outputs[0]).shape != graph_.value(root_->outputs[0]).shape) return false;
    const auto& in = graph_.value(node.inputs[0]);
    const auto& out = *graph_.value(node.outputs[0]).shape;
    return is_static_map(in) && (*in.shape)[0] == out[0] && (*in.shape)[1] == out[1];
  }

  ir::Graph& graph_;
  const ir::Uses& uses_;
  const ir::Node* root_ = nullptr;
  std::vector<Term> terms_;
  bool special_ = false;
};

}  // namespace

void fuse_mix(ir::Graph& graph) {
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    SumMatcher matcher(graph, uses);
    if (!matcher.match(node)) continue;
    std::vector<ir::ValueId> inputs;
    std::vector<float> weights;
    for (const Term& term : matcher.terms()) {
      inputs.push_back(term.value);
      weights.push_back(term.weight);
    }
    const Shape& out = *graph.value(node.outputs[0]).shape;
    become_fused(node, "Mix", inputs, {{"weights", weights}, {"size", std::vector<int64_t>{out[2], out[3]}}});
  }
  graph.compact();
}

}  // namespace effdet::compiler
