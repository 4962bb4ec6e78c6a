// Times a network with every choice made one way and the other, and attributes the difference to layers.
#include "tuning/tune.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <set>

#include "base/error.h"
#include "base/median.h"
#include "kernels/device.h"
#include "runtime/engine.h"
#include "tuning/tuning_bank.h"

namespace effdet::tuning {
namespace {

using compiler::CompileOptions;
using compiler::LayerChoices;
using Others = LayerChoices::Others;

// Fewer runs say nothing, more say little.
constexpr size_t kLeastRuns = 3, kMostRuns = 40;
// A choice that differs from the estimate must be faster by more than measurements scatter.
constexpr double kScatter = 0.03;

/// Layers that can be computed in two ways, by node and key: what is two layers in one variant may be one in another,
/// and has the second one's name then.
struct Candidates {
  using Map = std::map<std::pair<std::string, std::string>, LayerChoices::Candidate>;
  Map pairs, products;
};

/// Every choice made one way.
struct Way {
  bool fused, fewer_products;
};

/// The network in one way; its choices are added to the candidates.
artifact::Program compile_in(Way way, const compiler::Compilation& compilation, Candidates& candidates) {
  const auto note = [](Candidates::Map& map, const LayerChoices::Candidate& candidate) {
    map.insert({{candidate.node, candidate.key}, candidate});
  };
  LayerChoices choices;
  choices.other_fuse = way.fused ? Others::kYes : Others::kNo;
  choices.other_products = way.fewer_products ? Others::kYes : Others::kNo;
  choices.on_fuse = [&, note](const auto& candidate) { note(candidates.pairs, candidate); };
  choices.on_product = [&, note](const auto& candidate) { note(candidates.products, candidate); };
  return compilation.finish(choices);
}

/// The network in one way, with a clock at every step.
class Variant {
 public:
  Variant(Way way, artifact::Program program, int threads)
      : way(way),
        engine_(std::make_shared<runtime::Engine>(std::move(program))),
        session_(std::make_unique<runtime::Session>(engine_, threads)) {
    const auto& nodes = engine_->program().graph.nodes;
    times_.resize(nodes.size());
    session_->on_step = [this](size_t step, double seconds) { times_[step].push_back(seconds * 1e3); };
    for (size_t i = 0; i < nodes.size(); ++i) steps_.insert({nodes[i].name, i});
    for (size_t i = 0; i < engine_->input_count(); ++i) inputs_.push_back(made_up(engine_->input(i)));
  }

  void run() { session_->run(inputs_); }
  /// Forgets runs that found cold caches.
  void forget() {
    for (auto& times : times_) times.clear();
  }

  const ir::Node* node(const std::string& name) const {
    const auto found = steps_.find(name);
    return found != steps_.end() ? &engine_->program().graph.nodes[found->second] : nullptr;
  }
  double milliseconds(const ir::Node& node) const { return median(times_[steps_.at(node.name)]); }
  /// The step that makes a node's first input, or null.
  const ir::Node* before(const ir::Node& node) const {
    for (const ir::Node& other : engine_->program().graph.nodes)
      if (std::ranges::find(other.outputs, node.inputs[0]) != other.outputs.end()) return &other;
    return nullptr;
  }

  const Way way;

 private:
  static Tensor made_up(const ir::Value& value) {
    Tensor tensor(value.dtype, *value.shape);
    std::mt19937 random(1);
    if (value.dtype == DType::kF32) {
      for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(random()) * 0x1p-31f - 1;
    } else if (value.dtype == DType::kU8) {
      for (uint8_t& x : tensor.mutable_data<uint8_t>()) x = static_cast<uint8_t>(random());
    }
    return tensor;
  }

  std::shared_ptr<const runtime::Engine> engine_;
  std::unique_ptr<runtime::Session> session_;
  std::vector<Tensor> inputs_;
  std::map<std::string, size_t> steps_;
  std::vector<std::vector<double>> times_;
};

using Variants = std::vector<std::unique_ptr<Variant>>;

void measure(const Variants& variants, const Tuning& options) {
  using Clock = std::chrono::steady_clock;
  for (const auto& variant : variants) {
    variant->run();
    variant->forget();
  }
  const auto start = Clock::now();
  for (size_t runs = 0; runs < kMostRuns; ++runs) {
    const double share = std::chrono::duration<double>(Clock::now() - start).count() / options.seconds;
    if (share >= 1 && runs >= kLeastRuns) break;
    if (options.on_progress) options.on_progress(std::min(1.0, std::max(share, static_cast<double>(runs) / kMostRuns)));
    for (const auto& variant : variants) variant->run();
  }
  if (options.on_progress) options.on_progress(1);
}

/// The least time of a node over the variants that `accepts` takes, with the step before it where that is asked for; 0
/// where there is none.
template <typename Accepts>
double least(const Variants& variants, const std::string& name, bool with_before, Accepts&& accepts) {
  double best = 0;
  for (const auto& variant : variants) {
    const ir::Node* node = variant->node(name);
    if (node == nullptr || !accepts(*variant, *node)) continue;
    double time = variant->milliseconds(*node);
    if (const ir::Node* before = with_before ? variant->before(*node) : nullptr) time += variant->milliseconds(*before);
    if (best == 0 || time < best) best = time;
  }
  return best;
}

bool is_of(const ir::Node& node, const LayerChoices::Candidate& candidate) {
  return candidate.key.starts_with(node.op + " ");
}

/// Sums over the nodes that are the same kind of layer; none where one way was never taken.
using Times = std::map<std::string, Measured>;
void add(Times& times, const std::string& key, Measured measured) {
  if (measured.yes == 0 || measured.no == 0) measured = {};
  times[key].yes += measured.yes;
  times[key].no += measured.no;
}

Times times_of_pairs(const Variants& variants, const Candidates& candidates) {
  Times times;
  for (const auto& [id, candidate] : candidates.pairs) {
    const auto fused = [&](const Variant& v, const ir::Node& node) { return v.way.fused && is_of(node, candidate); };
    const auto split = [](const Variant& v, const ir::Node&) { return !v.way.fused; };
    add(times, candidate.key,
        {least(variants, candidate.node, false, fused), least(variants, candidate.node, true, split)});
  }
  return times;
}

Times times_of_products(const Variants& variants, const Candidates& candidates) {
  Times times;
  for (const auto& [id, candidate] : candidates.products) {
    const auto by = [&](bool fewer) {
      return least(variants, candidate.node, false, [&](const Variant& v, const ir::Node& node) {
        return v.way.fewer_products == fewer && is_of(node, candidate);
      });
    };
    add(times, candidate.key, {by(true), by(false)});
  }
  return times;
}

std::string choice_name(const CompileOptions& options, std::string_view what, const std::string& key) {
  const std::string_view type = options.precision == Precision::kBfloat16  ? "bfloat16"
                                : options.precision == Precision::kFloat16 ? "float16"
                                                                           : "float32";
  return fmt::format("{} {}: {}", type, what, key);
}

/// Whether the bank has all of them.
bool knows(const TuningBank& bank, const CompileOptions& options, std::string_view what,
           const Candidates::Map& candidates) {
  return std::ranges::all_of(candidates, [&](const auto& entry) {
    return bank.find(choice_name(options, what, entry.second.key)) != nullptr;
  });
}

/// Puts times into the bank: those that it lacks, or all. Returns how many.
size_t note_times(TuningBank& bank, const CompileOptions& options, std::string_view what, const Times& times,
                  bool repeat) {
  size_t noted = 0;
  for (const auto& [key, measured] : times) {
    const std::string name = choice_name(options, what, key);
    if (!repeat && bank.find(name) != nullptr) continue;
    bank.set(name, measured);
    ++noted;
  }
  return noted;
}

}  // namespace

TuneReport tune(const ir::Graph& graph, CompileOptions& options, const Tuning& tuning) {
  constexpr Way kFused{true, false}, kSplit{false, false}, kFusedFewer{true, true}, kSplitFewer{false, true};
  const int threads = tuning.threads > 0 ? tuning.threads : default_thread_count();
  TuningBank bank(tuning.folder.empty() ? default_tuning_folder() : tuning.folder,
                  kernels::device_named(options.target.name).hardware(), threads);
  const bool has_products = options.precision == Precision::kFloat32;
  Candidates candidates;
  CompileOptions quiet = options;
  quiet.on_stage = nullptr;
  const compiler::Compilation compilation(graph, quiet);
  const auto compile = [&](Way way) { return compile_in(way, compilation, candidates); };
  artifact::Program fused = compile(kFused), split = compile(kSplit);
  if (!has_products) candidates.products.clear();

  TuneReport report{.bank = bank.path()};
  if (tuning.repeat || !knows(bank, options, "fuse", candidates.pairs) ||
      !knows(bank, options, "fewer products", candidates.products)) {
    Variants variants;
    const auto add_variant = [&](Way way, artifact::Program program) {
      variants.push_back(std::make_unique<Variant>(way, std::move(program), threads));
    };
    add_variant(kFused, std::move(fused));
    add_variant(kSplit, std::move(split));
    if (has_products)
      for (const Way way : {kFusedFewer, kSplitFewer}) add_variant(way, compile(way));
    measure(variants, tuning);
    report.measured =
        note_times(bank, options, "fuse", times_of_pairs(variants, candidates), tuning.repeat) +
        note_times(bank, options, "fewer products", times_of_products(variants, candidates), tuning.repeat);
    bank.save();
  }
  std::map<std::string, bool> estimates;
  for (const auto& [id, candidate] : candidates.pairs) estimates[candidate.key] = candidate.estimate;
  for (const auto& [key, estimate] : estimates) {
    const Measured measured = *bank.find(choice_name(options, "fuse", key));
    const double own = estimate ? measured.yes : measured.no, other = estimate ? measured.no : measured.yes;
    const bool changes = other < own * (1 - kScatter);
    options.choices.fuse[key] = changes != estimate;
    report.changed += changes;
  }
  std::set<std::string> products;
  for (const auto& [id, candidate] : candidates.products) products.insert(candidate.key);
  for (const std::string& key : products) {
    const Measured measured = *bank.find(choice_name(options, "fewer products", key));
    if (measured.yes > 0) options.choices.fewer_products[key] = measured.yes < measured.no;
  }
  report.layers = estimates.size() + products.size();
  return report;
}

void tune_plans(const ir::Graph& graph, CompileOptions& options, std::span<const std::map<std::string, Shape>> plans,
                const Tuning& tuning) {
  for (const auto& plan : plans) {
    CompileOptions plan_options = compiler::with_shapes(options, plan);
    const TuneReport report = tune(graph, plan_options, tuning);
    options.choices = std::move(plan_options.choices);
    if (tuning.on_done) tuning.on_done(report.layers, report.measured, report.changed, report.bank);
  }
}

}  // namespace effdet::tuning
