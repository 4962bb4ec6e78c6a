// The highest logits of the heads, chosen on the GPU.
#include "ops/fused/top_candidates.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"

namespace effdet::kernels::cuda {
namespace {

static_assert(SelectArgs::kMostLevels == ops::kMostLevels && WriteRanked::kValues == ops::kCandidateValues);

class TopCandidatesStep : public Step {
 public:
  explicit TopCandidatesStep(const PlanContext& c) : Step(c), images_(c.outputs[0].shape[0]) {
    const auto a = ops::TopCandidatesAttributes::of(c.node);
    args_.levels = static_cast<int>(c.inputs.size() / 2);
    args_.planes = c.inputs[0].shape[1];
    args_.num_classes = static_cast<int>(a.classes);
    args_.count = static_cast<int>(a.count);
    for (int level = 0; level < args_.levels; ++level) {
      const Shape& map = c.inputs[static_cast<size_t>(level)].shape;
      args_.cells[level] = map[2] * map[3];
      args_.logits += args_.cells[level] * args_.planes;
    }
    states_at_ = scratch_.add(images_ * static_cast<int64_t>(sizeof(SelectState)));
    keys_at_ = scratch_.add(images_ * args_.count * static_cast<int64_t>(sizeof(uint64_t)));
    nans_at_ = scratch_.add(images_ * static_cast<int64_t>(sizeof(float)));
  }

  size_t scratch_bytes(int) const override { return scratch_.size(); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    SelectArgs args = args_;
    for (int level = 0; level < args.levels; ++level) {
      args.classes[level] = context.input(static_cast<size_t>(level));
      args.boxes[level] = context.input(static_cast<size_t>(args.levels + level));
    }
    args.states = reinterpret_cast<SelectState*>(context.scratch + states_at_);
    args.keys = reinterpret_cast<uint64_t*>(context.scratch + keys_at_);
    args.rows = context.output();
    args.nans = context.output(1) != nullptr ? context.output(1) : reinterpret_cast<float*>(context.scratch + nans_at_);
    const int64_t parts = images_ * LogitParts::count(args);
    queue.launch<StartSelection>(images_, StartSelection::kThreads, 0, args);
    for (args.shift = 56; args.shift >= 0; args.shift -= 8) {
      queue.launch<CountDigits>(parts, CountDigits::kThreads, CountDigits::kSharedBytes, args);
      queue.launch<ChooseDigit>(images_, ChooseDigit::kThreads, ChooseDigit::kSharedBytes, args);
    }
    queue.launch<CollectKeys>(parts, CollectKeys::kThreads, 0, args);
    queue.launch<WriteRanked>(images_ * ((args.count + WriteRanked::kThreads - 1) / WriteRanked::kThreads),
                              WriteRanked::kThreads, 0, args);
  }

 private:
  int64_t images_;
  SelectArgs args_{};
  ScratchPlan scratch_;
  size_t states_at_ = 0, keys_at_ = 0, nans_at_ = 0;
};

}  // namespace

Plan plan_top_candidates(const PlanContext& c) { return {std::make_unique<TopCandidatesStep>(c), ""}; }

}  // namespace effdet::kernels::cuda
