// From a graph to a program: fusion, layout, memory plan. Each step is one function of passes.h; compile.cc has the
// order.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aipp/config.h"
#include "artifact/program.h"
#include "base/function_ref.h"
#include "compiler/layer_choices.h"
#include "effdet/model_options.h"
#include "ir/graph.h"
#include "ops/target.h"
#include "passes/budget.h"

namespace effdet::compiler {

struct CompileOptions {
  /// The device that the program is for.
  ops::Target target = ops::kCpuTarget;
  /// Shapes for inputs by name: they overwrite the graph's (batch, image size). Others must be static already.
  std::map<std::string, Shape> input_shapes;
  /// Preprocessing that becomes a part of the program: its input is then the camera's bytes.
  std::optional<aipp::Config> aipp;
  /// Without fusion every operator runs on its reference kernel: slow, for finding where a fault comes from.
  bool fuse = true;
  /// What maps and weights are computed in; inputs and outputs stay float32.
  Precision precision = Precision::kFloat32;
  /// With bfloat16: patterns (as a shell's) of names of layers that stay float32.
  std::vector<std::string> keep_float32;
  /// Between ways that differ in speed alone.
  LayerChoices choices;
  /// A batch of images that steps keep apart may become a program for fewer, its micro-batches.
  bool split_batch = true;
  /// Bytes that the plan's constants may be larger than the graph's: what would add more is left as it is.
  uint64_t most_growth = passes::kMostGrowth;
  /// Called after each stage with its name and the graph.
  std::function<void(std::string_view stage, const ir::Graph& graph)> on_stage;
};

/// A graph after all rewrites that are the same whatever is chosen between ways to compute its layers: to be
/// finished several times, with other choices. It holds weights packed already, which takes most of the time.
class Compilation {
 public:
  /// Throws as compile() does. Choices are those of finish().
  Compilation(ir::Graph graph, const CompileOptions& options);

  artifact::Program finish(const LayerChoices& choices) const;

  struct Stage;

 private:
  void report(std::string_view stage) const;
  void run(std::string_view stage, FunctionRef<void()> rewrite);
  void run(std::span<const Stage> stages);
  /// The last rewrites, for the whole batch, and the memory plan. Not verified yet.
  artifact::Program place() &&;
  /// Gives the graph a smaller batch where that is better, and says how many times smaller.
  int64_t split_batch();

  ir::Graph graph_;
  CompileOptions options_;
  passes::RewriteBudget budget_;  // of the graph with its shapes
  std::vector<std::string> output_names_;
};

/// Compiles for options.target. Throws Error(kUnsupported) for operators that nothing runs, Error(kBadInput) for
/// graphs that contradict themselves or whose shapes stay unknown.
artifact::Program compile(ir::Graph graph, const CompileOptions& options = {});

/// The options with these shapes laid over input_shapes.
CompileOptions with_shapes(CompileOptions options, const std::map<std::string, Shape>& shapes);

/// The same graph for several shapes of its inputs, each laid over options.input_shapes: one plan each, in that order,
/// over shared weights. Throws as compile() does, naming the shapes, and Error(kBadInput) where plans are no model
/// together (verify_plans).
std::vector<artifact::Program> compile_plans(const ir::Graph& graph, const CompileOptions& options,
                                             std::span<const std::map<std::string, Shape>> shapes);

}  // namespace effdet::compiler
