// Random graphs, compiled, beside the reference kernels.
#include <cstdlib>
#include <cstring>

#include "compiler/compile.h"
#include "kernels/cpu/micro_kernels.h"
#include "numbers.h"
#include "passes/random_graph_test_util.h"
#include "passes/tensor_difference.h"
#include "quantize/quantize.h"
#include "runtime/engine.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

/// Where sums that cancel each other may leave nothing but rounding: what is compared is shapes, and infinities.
constexpr double kAnyRounding = 10;

using compiler::CompileOptions;
using compiler::LayerChoices;

/// A graph with what it makes of its input.
struct Reference {
  Reference(const ir::Graph& of, uint64_t from)
      : graph(of),
        seed(from),
        inputs{passes::waves(*of.value(of.inputs[0]).shape)},
        want(ops::run_reference(of, inputs)) {}

  const ir::Graph& graph;
  uint64_t seed;
  std::vector<Tensor> inputs, want;
};

/// Runs the graph on the kernels of each instruction set that this processor and this build have; what they make may
/// differ by `tolerance` of the largest magnitude.
void compare_compiled(const Reference& reference, const CompileOptions& options, double tolerance) {
  const auto& [graph, seed, inputs, want] = reference;
  const artifact::Program program = compiler::compile(graph, options);
  for (const char* set :
       {"sse2", "avx2", "avx_vnni", "avx512", "avx512_vnni", "avx512_wide", "avx512_bf16", "amx_bf16"}) {
    if (kernels::cpu::micro_kernels_for(set) == nullptr) continue;
    ::setenv("EFFDET_ISA", set, 1);
    const std::vector<Tensor> got = runtime::Session(std::make_shared<runtime::Engine>(program), 1).run(inputs);
    for (size_t i = 0; i < want.size(); ++i)
      if (const double worst = passes::relative_difference(want[i], got[i]); !(worst < tolerance))
        finding(fmt::format("output {} of graph {} differs by {} ({}{})\n{}", i, seed, worst, set,
                            options.fuse ? "" : ", not fused", ir::to_text(graph)));
  }
  ::unsetenv("EFFDET_ISA");
}

/// Ways to compute that the compiler's estimates leave alone on small maps, too.
CompileOptions options_of(unsigned number) {
  constexpr LayerChoices::Others kOthers[] = {LayerChoices::Others::kEstimate, LayerChoices::Others::kYes,
                                              LayerChoices::Others::kNo};
  CompileOptions options;
  options.choices.other_fuse = kOthers[number % 3];
  options.choices.other_products = kOthers[number / 3 % 3];
  options.split_batch = number / 9 % 2 == 0;
  return options;
}

}  // namespace

/// The input is the seed of a random graph, and how it is compiled: in float32, in bfloat16 and without fusion.
void graphs(Bytes input) {
  Numbers numbers(input);
  const uint64_t seed = numbers.seed();
  const ir::Graph graph = passes::RandomGraph(seed).graph();
  const Reference reference(graph, seed);
  CompileOptions options = options_of(numbers.byte());
  compare_compiled(reference, options, 1e-4);
  options.precision = Precision::kBfloat16;
  compare_compiled(reference, options, kAnyRounding);
  compare_compiled(reference, {.fuse = false}, 1e-4);
}

/// The same for a graph that is quantized to int8. Sums are rounded to codes, so that a difference of one in the last
/// place of a float may become one of a code, and more in the layers behind it.
void quantized_graphs(Bytes input) {
  Numbers numbers(input);
  const uint64_t seed = numbers.seed();
  const ir::Graph graph = quantize::prepare(passes::RandomGraph(seed).graph());
  const Tensor waves = passes::waves(*graph.value(graph.inputs[0]).shape);
  const auto image = [&](size_t index, std::span<std::byte> bytes, std::string& name) {
    if (index > 0) return false;
    name = "waves";
    std::memcpy(bytes.data(), waves.bytes().data(), bytes.size());
    return true;
  };
  if (quantize::quantizable_layers(graph).empty()) return;
  const ir::Graph quantized = quantize::quantize(graph, quantize::calibrate(graph, image, {.threads = 1}));
  compare_compiled({quantized, seed}, options_of(numbers.byte()), 0.3);
}

}  // namespace effdet::fuzz
