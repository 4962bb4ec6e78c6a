// Compares two graphs part by part where they differ, and as a whole where parts do not suffice.
#include "passes/equivalence.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/memory.h"
#include "ops/op.h"
#include "passes/cut_opaque.h"
#include "passes/part.h"
#include "passes/passes.h"
#include "passes/tensor_difference.h"

namespace effdet::passes {
namespace {

/// The graphs have too little in common to be compared by parts after so many rounds without an end, or where more than
/// half of so many values differ.
constexpr int kMostRounds = 16;
constexpr size_t kManyClaims = 32;
/// How often a part is tried again with what stands before it.
constexpr int kMostWidenings = 2;

/// The graph with what shape arithmetic always comes to as constants, and the branches that this chooses.
ir::Graph settled(ir::Graph graph) {
  inline_branches(graph);
  ops::KnownValues known;
  ops::infer_shapes(graph, &known);
  for (auto& [id, tensor] : known.whole) graph.value(id).constant = std::move(tensor);
  std::erase_if(graph.nodes, [&](const ir::Node& node) {
    return std::ranges::all_of(node.outputs,
                               [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) != nullptr; });
  });
  graph.compact();
  return graph;
}

/// Nothing where shapes cannot be inferred: a rewrite that went wrong may leave a graph that contradicts itself.
std::optional<ir::Graph> settled_if_whole(const ir::Graph& graph) {
  try {
    return settled(graph);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    return std::nullopt;
  }
}

/// A value of both graphs, with the number that it would have in b by itself.
struct Claim {
  ir::ValueId in_a, in_b;
  Number own;
};

class PartCheck {
 public:
  PartCheck(ir::Graph a, ir::Graph b, const CheckOptions& options, ThreadPool* threads)
      : a_(std::move(a)), b_(std::move(b)), options_(options), threads_(threads) {
    number(a_, [](ir::ValueId, Number number) { return number; });
    for (size_t id = 0; id < a_.graph.value_count(); ++id)
      names_.emplace(a_.graph.value(static_cast<ir::ValueId>(id)).name, static_cast<ir::ValueId>(id));
  }

  /// Whether all outputs are certain; fills the report.
  bool run(ModelCheck& report) {
    for (int round = 0; round < kMostRounds; ++round) {
      const std::vector<Claim> claims = number_b(true);
      if (claims.empty()) break;
      const size_t refuted = test(claims);
      if (claims.size() >= kManyClaims && refuted > claims.size() / 2) break;
    }
    number_b(false);
    report.nodes = b_.graph.nodes.size();
    report.unchanged = unchanged_;
    report.difference = difference_;
    report.parts = parts_;
    report.reduced = reduced_;
    return outputs_agree(report);
  }

 private:
  /// Numbers a graph in order; `settle` may replace the number of what a node makes.
  template <typename Settle>
  void number(NumberedGraph& side, Settle&& settle) {
    const ir::Graph& graph = side.graph;
    for (ir::ValueId id : graph.inputs) side.set(id, numbers_.of_input(graph.value(id)));
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const auto id = static_cast<ir::ValueId>(i);
      if (const Tensor* tensor = graph.constant(id))
        side.set(id, settle(id, numbers_.of_constant(*tensor, &side == &a_ ? nullptr : constant_named(id))));
    }
    for (const ir::Node& node : graph.nodes) {
      std::vector<Number> inputs;
      for (ir::ValueId id : node.inputs) inputs.push_back(side.number(id));
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        const ir::ValueId id = node.outputs[i];
        if (id != ir::kNoValue && graph.constant(id) == nullptr)
          side.set(id, settle(id, numbers_.of_output(node, graph.opset, inputs, i)));
      }
    }
  }

  const Tensor* constant_named(ir::ValueId in_b) const {
    const auto found = names_.find(b_.graph.value(in_b).name);
    return found == names_.end() ? nullptr : a_.graph.constant(found->second);
  }

  /// The value of a that has the name of one of b and could be equal to it, or kNoValue.
  ir::ValueId namesake(ir::ValueId in_b) const {
    const ir::Value& value = b_.graph.value(in_b);
    const auto found = names_.find(value.name);
    if (found == names_.end() || a_.number(found->second) < 0) return ir::kNoValue;
    const ir::Value& other = a_.graph.value(found->second);
    const bool both_constant = value.constant && other.constant;
    return other.dtype == value.dtype && other.shape == value.shape && !both_constant ? found->second : ir::kNoValue;
  }

  /// Numbers b anew and returns what has not been tested yet. Values of one name count as equal where that was shown,
  /// and, with `in_good_faith`, until it is refuted.
  std::vector<Claim> number_b(bool in_good_faith) {
    b_ = NumberedGraph(std::move(b_.graph));
    std::vector<Claim> claims;
    std::vector<bool> is_unchanged(b_.graph.value_count(), false);
    number(b_, [&](ir::ValueId id, Number own) {
      const ir::ValueId in_a = namesake(id);
      if (in_a == ir::kNoValue || a_.number(in_a) == own) {
        is_unchanged[static_cast<size_t>(id)] = a_.value_of(own) != ir::kNoValue;
        return own;
      }
      const auto found = found_.find({a_.number(in_a), own});
      if (found == found_.end()) claims.push_back({in_a, id, own});
      const bool equal = found == found_.end() ? in_good_faith : found->second;
      return equal ? a_.number(in_a) : own;
    });
    unchanged_ = static_cast<size_t>(std::ranges::count_if(b_.graph.nodes, [&](const ir::Node& node) {
      return std::ranges::all_of(
          node.outputs, [&](ir::ValueId id) { return id == ir::kNoValue || is_unchanged[static_cast<size_t>(id)]; });
    }));
    return claims;
  }

  struct Outcome {
    PartDifference difference;
    bool same = false;
  };

  /// How many were refuted.
  size_t test(const std::vector<Claim>& claims) {
    std::vector<Outcome> outcomes(claims.size());
    const uint64_t share = options_.memory_limit / (threads_ == nullptr ? 1 : threads_->size());
    const auto one = [&](int64_t i, int) {
      const MemoryBudget budget(share);  // of the thread that runs this
      outcomes[static_cast<size_t>(i)] = test(claims[static_cast<size_t>(i)]);
    };
    if (threads_ != nullptr) {
      threads_->parallel_for(static_cast<int64_t>(claims.size()), one);
    } else {
      for (size_t i = 0; i < claims.size(); ++i) one(static_cast<int64_t>(i), 0);
    }
    size_t refuted = 0;
    for (size_t i = 0; i < claims.size(); ++i) {
      found_[{a_.number(claims[i].in_a), claims[i].own}] = outcomes[i].same;
      refuted += !outcomes[i].same;
      if (!outcomes[i].same) continue;
      ++parts_;
      reduced_ += outcomes[i].difference.reduced;
      difference_ = std::max(difference_, outcomes[i].difference.difference);
    }
    return refuted;
  }

  /// Tries the part for the pair of values, and wider ones.
  Outcome test(const Claim& claim) const {
    const PartFinder finder(a_, b_);
    Outcome outcome;
    auto part = finder.find(claim.in_a, claim.in_b, outcome.difference.obstacle);
    for (int i = 0; part && i <= kMostWidenings; ++i) {
      outcome.difference = compare_part(a_, b_, *part, options_.runs, options_.seed, nullptr);
      const double accepted = accepted_difference(a_.graph.value(claim.in_a).dtype, options_.tolerance);
      outcome.same = outcome.difference.obstacle.empty() && outcome.difference.difference <= accepted;
      if (outcome.same) break;
      part = finder.widened(*part, outcome.difference.obstacle);
    }
    return outcome;
  }

  bool outputs_agree(ModelCheck& report) const {
    bool agree = a_.graph.outputs.size() == b_.graph.outputs.size();
    for (size_t i = 0; agree && i < b_.graph.outputs.size(); ++i)
      agree = a_.number(a_.graph.outputs[i]) == b_.number(b_.graph.outputs[i]);
    report.same = agree;
    return agree;
  }

  NumberedGraph a_, b_;
  const CheckOptions& options_;
  ThreadPool* threads_;
  ValueNumbers numbers_;
  std::map<std::string_view, ir::ValueId> names_;    ///< of a
  std::map<std::pair<Number, Number>, bool> found_;  ///< of a and b: whether they are equal
  double difference_ = 0;
  size_t unchanged_ = 0, parts_ = 0, reduced_ = 0;
};

}  // namespace

ModelCheck check_equivalence(const ir::Graph& a, const ir::Graph& b, const CheckOptions& options, ThreadPool* threads) {
  require_same_inputs(a, b);
  ModelCheck report;
  auto whole_b = settled_if_whole(b);
  if (!whole_b) {
    report.difference = kDifferent;
    return report;
  }
  CutGraphs cut = cut_opaque(settled(a), *std::move(whole_b));
  report.opaque = cut.opaque;
  report.operators = cut.operators;
  report.unchecked = cut.lost;
  if (!cut.same) {
    report.difference = kDifferent;
    return report;
  }
  if (cut.a.outputs.empty()) {
    report.same = cut.b.outputs.empty();
    return report;
  }
  const bool uncut = cut.opaque == 0;
  const bool certain = (uncut ? PartCheck(std::move(cut.a), std::move(cut.b), options, threads)
                              : PartCheck(cut.a, cut.b, options, threads))
                           .run(report);
  report.nodes += cut.opaque;
  report.unchanged += cut.opaque;
  if (certain) return report;
  // As they are, where that is possible: shape arithmetic follows smaller images.
  const WholeDifference whole =
      uncut ? compare_whole(a, b, options, threads) : compare_whole(cut.a, cut.b, options, threads);
  report.whole = whole.reduced ? ModelCheck::Whole::kReduced : ModelCheck::Whole::kFull;
  report.difference = whole.difference;
  report.same = whole.same;
  return report;
}

}  // namespace effdet::passes
