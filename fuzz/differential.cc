// Two ways to the same numbers: fast kernels and the reference, the evaluator and a naive one.
#include <algorithm>
#include <cstdlib>

#include "compiler/compile.h"
#include "eval/coco_eval.h"
#include "eval/naive_evaluator_test_util.h"
#include "kernels/cpu/micro_kernels.h"
#include "passes/random_graph_test_util.h"
#include "passes/tensor_difference.h"
#include "runtime/engine.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

constexpr double kTolerance = 1e-4;  // of the largest magnitude

/// Numbers out of the input, and zeros behind its end.
class Numbers {
 public:
  explicit Numbers(Bytes input) : rest_(input) {}
  unsigned byte() {
    if (rest_.empty()) return 0;
    const unsigned value = std::to_integer<unsigned>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  bool more() const { return !rest_.empty(); }

 private:
  Bytes rest_;
};

}  // namespace

/// The input is the seed of a random graph, which is compiled, run on the kernels of each instruction set that this
/// processor and this build have, and compared with the graph's own meaning.
void graphs(Bytes input) {
  Numbers numbers(input);
  uint64_t seed = 0;
  for (int i = 0; i < 8; ++i) seed = seed << 8 | numbers.byte();
  const ir::Graph graph = passes::RandomGraph(seed).graph();
  const std::vector<Tensor> inputs{passes::waves({2, 4, 6, 6})};
  const std::vector<Tensor> want = ops::run_reference(graph, inputs);
  for (const bool fuse : {true, false}) {
    const artifact::Program program = compiler::compile(graph, {.fuse = fuse});
    for (const char* set :
         {"sse2", "avx2", "avx_vnni", "avx512", "avx512_vnni", "avx512_wide", "avx512_bf16", "amx_bf16"}) {
      if (kernels::cpu::micro_kernels_for(set) == nullptr) continue;
      ::setenv("EFFDET_ISA", set, 1);
      const std::vector<Tensor> got = runtime::Session(std::make_shared<runtime::Engine>(program), 1).run(inputs);
      for (size_t i = 0; i < want.size(); ++i)
        if (const double worst = passes::relative_difference(want[i], got[i]); !(worst < kTolerance))
          finding(fmt::format("output {} of graph {} differs by {} ({}, {})\n{}", i, seed, worst, set,
                              fuse ? "fused" : "not fused", ir::to_text(graph)));
    }
  }
  ::unsetenv("EFFDET_ISA");
}

/// The input becomes boxes with many ties.
void evaluation(Bytes input) {
  Numbers numbers(input);
  eval::GroundTruth dataset;
  for (int64_t id = 1; id <= 3; ++id)
    dataset.images.push_back({.id = id, .width = 64, .height = 64}),
        dataset.image_index[id] = static_cast<size_t>(id - 1);
  for (int64_t id = 1; id <= 2; ++id) dataset.categories.push_back({.id = id});
  std::vector<eval::CocoResult> results;
  while (numbers.more()) {
    const unsigned kind = numbers.byte();
    const int64_t image = 1 + kind % 3, category = 1 + kind / 4 % 2;
    std::array<double, 4> box{};
    for (double& side : box) side = numbers.byte() % 64 / 2.0;
    if (kind % 2 == 0) {
      dataset.annotations.push_back({.id = static_cast<int64_t>(dataset.annotations.size()),
                                     .image_id = image,
                                     .category_id = category,
                                     .bbox = box,
                                     .area = box[2] * box[3],
                                     .is_crowd = kind / 16 % 8 == 0});
    } else {
      results.push_back({image, box, numbers.byte() % 16 / 16.0, category});
    }
    if (dataset.annotations.size() + results.size() >= 60) break;
  }
  eval::CocoParams params = eval::CocoParams::all_of(dataset);
  params.max_detections = {1, 5};
  params.settle();
  const eval::CocoArrays got = eval::evaluate_coco(dataset, results, params, eval::CocoOutput::kAllArrays).arrays;
  const eval::CocoArrays want = eval::NaiveEvaluator(dataset, results, params).run();
  for (const auto array : {&eval::CocoArrays::precision, &eval::CocoArrays::recall, &eval::CocoArrays::scores})
    if (const auto [ours, theirs] = std::ranges::mismatch(got.*array, want.*array); ours != (got.*array).end())
      finding(fmt::format("number {} of an array is {}: the naive evaluator has {}", ours - (got.*array).begin(), *ours,
                          *theirs));
}

}  // namespace effdet::fuzz
