// Runner: the caller's memory bound to a session.
#include <algorithm>

#include "base/error.h"
#include "runtime/compiled_model_impl.h"

namespace effdet {

struct Runner::Impl {
  /// Sizes of a plan's tensors, and room for the caller's addresses.
  struct Plan {
    std::vector<size_t> input_bytes, output_bytes;
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;

    explicit Plan(const runtime::Engine& engine) : inputs(engine.input_count()), outputs(engine.output_count()) {
      for (size_t i = 0; i < inputs.size(); ++i) input_bytes.push_back(artifact::value_bytes(engine.input(i)));
      for (size_t i = 0; i < outputs.size(); ++i) output_bytes.push_back(artifact::value_bytes(engine.output(i)));
    }
  };
  runtime::Session session;
  std::vector<Plan> plans;

  Plan& plan(size_t index) {
    if (index >= plans.size()) fail(ErrorCode::kUsage, "plan {} of {}", index, plans.size());
    return plans[index];
  }
};

Runner::Runner(const CompiledModel& model, int threads) : Runner(model, Threads(std::max(0, threads))) {}

Runner::Runner(const CompiledModel& model, const Threads& threads)
    : impl_(new Impl{runtime::Session(EngineAccess::plans(model), threads), {}}) {
  for (const auto& engine : EngineAccess::plans(model)) impl_->plans.emplace_back(*engine);
}

Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;

void Runner::run(std::span<const std::span<const std::byte>> inputs, std::span<const std::span<std::byte>> outputs,
                 size_t plan_index) {
  const auto bind = [](auto given, const std::vector<size_t>& bytes, auto& pointers, std::string_view what) {
    if (given.size() != bytes.size())
      fail(ErrorCode::kUsage, "the model has {} {}s, not {}", bytes.size(), what, given.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (given[i].size() != bytes[i])
        fail(ErrorCode::kUsage, "{} {} has {} bytes, not {}", what, i, bytes[i], given[i].size());
      pointers[i] = given[i].data();
    }
  };
  Impl::Plan& plan = impl_->plan(plan_index);
  bind(inputs, plan.input_bytes, plan.inputs, "input");
  bind(outputs, plan.output_bytes, plan.outputs, "output");
  impl_->session.run(plan.inputs, plan.outputs, plan_index);
}

Runner::Transfers Runner::last_transfers() const {
  return {impl_->session.upload_seconds, impl_->session.download_seconds};
}

int Runner::threads() const { return impl_->session.threads(); }
const std::vector<size_t>& Runner::input_bytes(size_t plan) const { return impl_->plan(plan).input_bytes; }
const std::vector<size_t>& Runner::output_bytes(size_t plan) const { return impl_->plan(plan).output_bytes; }
bool Runner::reads_output(size_t output, size_t plan) const { return impl_->session.reads_output(output, plan); }
void Runner::on_step(std::function<void(size_t step, double seconds)> callback) {
  impl_->session.on_step = std::move(callback);
}

}  // namespace effdet
