// Runs two graphs end to end on random inputs, on smaller images where both allow it.
#include "passes/whole_check.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/memory.h"
#include "ops/op.h"
#include "passes/random_tensor.h"
#include "passes/rebatch.h"
#include "passes/rewrite.h"
#include "passes/tensor_difference.h"

namespace effdet::passes {
namespace {

/// Sizes of Resize nodes that are computed and always come to the same become constants, which set_input_size scales.
void settle_sizes(ir::Graph& graph) {
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  UniqueNames names(graph);
  for (ir::Node& node : graph.nodes) {
    if (!node.is("Resize") || node.inputs.size() < 4 || graph.constant(node.inputs[3]) != nullptr) continue;
    const auto found = known.whole.find(node.inputs[3]);
    if (found != known.whole.end())
      node.inputs[3] = graph.add_constant(names.make(node.name + ".sizes"), found->second);
  }
}

/// The graph with its images reduced, or nothing where it does not fit a smaller one.
std::optional<ir::Graph> reduced(const ir::Graph& graph) {
  ir::Graph small = graph;  // constants are shared
  bool changed = false;
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    if (!is_static(input.shape) || input.shape->size() != 4) continue;
    const int64_t height = (*input.shape)[2], width = (*input.shape)[3];
    if (std::max(height, width) <= kCheckSide) continue;
    if (height % kCheckSide != 0 || width % kCheckSide != 0) return std::nullopt;
    try {
      if (!changed) settle_sizes(small);
      set_input_size(small, input.name, kCheckSide, kCheckSide);
      changed = true;
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  return changed ? std::optional(std::move(small)) : std::nullopt;
}

bool same_outputs(const ir::Graph& a, const ir::Graph& b) {
  return std::ranges::equal(a.outputs, b.outputs, [&](ir::ValueId x, ir::ValueId y) {
    return is_static(a.value(x).shape) && a.value(x).shape == b.value(y).shape;
  });
}

/// Whether outputs differ in what is known without a run.
bool outputs_differ(const ir::Graph& a, const ir::Graph& b) {
  return !std::ranges::equal(a.outputs, b.outputs, [&](ir::ValueId x, ir::ValueId y) {
    const ir::Value &left = a.value(x), &right = b.value(y);
    const bool known = is_static(left.shape) && is_static(right.shape);
    return left.dtype == right.dtype && (!known || left.shape == right.shape);
  });
}

/// A graph that is run node by node; each tensor is kept until its last reader is done.
class Runner {
 public:
  Runner(const ir::Graph& graph, ThreadPool* threads)
      : graph_(graph), threads_(threads), tensors_(graph.value_count()), reads_left_(graph.value_count()) {
    for (const ir::Node& node : graph.nodes)
      for (ir::ValueId id : node.inputs) keep(id);
    for (ir::ValueId id : graph.outputs) keep(id);
  }

  /// One reader more.
  void keep(ir::ValueId id) {
    if (id != ir::kNoValue) ++reads_left_[static_cast<size_t>(id)];
  }
  void release(ir::ValueId id) {
    if (id != ir::kNoValue && --reads_left_[static_cast<size_t>(id)] == 0) tensors_[static_cast<size_t>(id)] = Tensor();
  }

  size_t next() const { return next_; }
  const ir::Node& next_node() const { return graph_.nodes[next_]; }
  bool done() const { return next_ == graph_.nodes.size(); }

  void step() {
    const ir::Node& node = graph_.nodes[next_++];
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(id == ir::kNoValue ? nullptr : &tensor(id));
    std::vector<Tensor> results = ops::evaluate_node(node, graph_.opset, inputs, threads_);
    for (size_t i = 0; i < results.size(); ++i)
      if (node.outputs[i] != ir::kNoValue && reads_left_[static_cast<size_t>(node.outputs[i])] > 0)
        set(node.outputs[i], std::move(results[i]));
    for (ir::ValueId id : node.inputs) release(id);
  }

  void set(ir::ValueId id, Tensor tensor) { tensors_[static_cast<size_t>(id)] = std::move(tensor); }
  /// Empty where nobody wants it.
  const Tensor& tensor(ir::ValueId id) const {
    const Tensor* constant = graph_.constant(id);
    return constant != nullptr ? *constant : tensors_[static_cast<size_t>(id)];
  }

 private:
  const ir::Graph& graph_;
  ThreadPool* threads_;
  std::vector<Tensor> tensors_;
  std::vector<int> reads_left_;
  size_t next_ = 0;
};

/// Two graphs in step.
class SideBySide {
 public:
  SideBySide(const ir::Graph& a, const ir::Graph& b, double tolerance, ThreadPool* threads)
      : a_(a), b_(b), tolerance_(tolerance), threads_(threads) {
    for (size_t n = 0; n < a.nodes.size(); ++n)
      for (ir::ValueId id : a.nodes[n].outputs)
        if (id != ir::kNoValue && a.constant(id) == nullptr) made_in_a_[a.value(id).name] = {id, n};
  }

  /// On one random input.
  WholeDifference run(uint64_t seed, IntegerRange range) {
    Runner left(a_, threads_), right(b_, threads_);
    for (size_t i = 0; i < a_.inputs.size(); ++i) {
      const Tensor input = random_tensor(a_.value(a_.inputs[i]), ++seed, range);
      left.set(a_.inputs[i], input);
      right.set(b_.inputs[i], input);
    }
    for (const ir::Node& node : b_.nodes)
      for (ir::ValueId id : node.outputs)
        if (const Made* made = namesake(id)) left.keep(made->id);
    WholeDifference result;
    while (!right.done()) {
      const ir::Node& node = right.next_node();
      right.step();
      for (ir::ValueId id : node.outputs)
        if (const Made* made = namesake(id)) {
          while (left.next() <= made->node) left.step();
          align(left, right, made->id, id, result);
          left.release(made->id);
        }
    }
    while (!left.done()) left.step();
    for (size_t i = 0; i < a_.outputs.size(); ++i) {
      const Tensor &x = left.tensor(a_.outputs[i]), &y = right.tensor(b_.outputs[i]);
      const double difference = relative_difference(x, y);
      result.difference = std::max(result.difference, difference);
      result.same = result.same && difference <= accepted_difference(x.dtype(), tolerance_);
    }
    return result;
  }

 private:
  struct Made {
    ir::ValueId id;
    size_t node;
  };

  const Made* namesake(ir::ValueId in_b) const {
    if (in_b == ir::kNoValue) return nullptr;
    const auto found = made_in_a_.find(b_.value(in_b).name);
    return found == made_in_a_.end() ? nullptr : &found->second;
  }

  /// Lets b go on with what a has, where that is accepted.
  void align(const Runner& left, Runner& right, ir::ValueId in_a, ir::ValueId in_b, WholeDifference& result) const {
    const Tensor &x = left.tensor(in_a), &y = right.tensor(in_b);
    if (x.empty() || y.empty()) return;
    const double difference = relative_difference(x, y);
    if (!(difference <= accepted_difference(x.dtype(), tolerance_))) return;
    result.difference = std::max(result.difference, difference);
    right.set(in_b, x);
  }

  const ir::Graph &a_, &b_;
  double tolerance_;
  ThreadPool* threads_;
  std::unordered_map<std::string_view, Made> made_in_a_;
};

/// On one random input; whole numbers that no table has are tried with smaller ones.
WholeDifference run_side_by_side(SideBySide& both, const ir::Graph& graph, uint64_t seed) {
  const bool has_integers =
      std::ranges::any_of(graph.inputs, [&](ir::ValueId id) { return has_range(graph.value(id).dtype); });
  for (const IntegerRange range : {IntegerRange::kSmall, IntegerRange::kBits}) {
    if (!has_integers) break;
    try {
      return both.run(seed, range);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput) throw;
    }
  }
  return both.run(seed, IntegerRange::kZero);
}

}  // namespace

void require_same_inputs(const ir::Graph& a, const ir::Graph& b) {
  const bool same = std::ranges::equal(a.inputs, b.inputs, [&](ir::ValueId x, ir::ValueId y) {
    const ir::Value &left = a.value(x), &right = b.value(y);
    return left.name == right.name && left.dtype == right.dtype && left.shape == right.shape;
  });
  if (!same) bad_input("graphs '{}' and '{}' take different inputs", a.name, b.name);
}

WholeDifference compare_whole(const ir::Graph& a, const ir::Graph& b, const CheckOptions& options,
                              ThreadPool* threads) {
  require_same_inputs(a, b);
  const MemoryBudget budget(std::min(options.memory_limit, memory_left()));
  const auto small_a = reduced(a), small_b = reduced(b);
  const bool reduce = small_a && small_b && same_outputs(*small_a, *small_b);
  ir::Graph left = reduce ? *small_a : a, right = reduce ? *small_b : b;  // constants are shared
  ops::infer_shapes(left);
  ops::infer_shapes(right);
  if (outputs_differ(left, right)) return {kDifferent, false, reduce};
  SideBySide both(left, right, options.tolerance, threads);
  WholeDifference worst{.reduced = reduce};
  for (int run = 0; run < options.runs; ++run) {
    const WholeDifference found = run_side_by_side(both, left, options.seed + static_cast<uint64_t>(run) * 1'000'003);
    worst.difference = std::max(worst.difference, found.difference);
    worst.same = worst.same && found.same;
  }
  return worst;
}

}  // namespace effdet::passes
