// Chooses each step's kernel, binds steps to memory, and runs them, micro-batch by micro-batch.
#include "runtime/engine.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/memory.h"

namespace effdet::runtime {
namespace {

kernels::Choice choose_kernel(const artifact::Program& program, const ir::Node& node, bool reference_only) {
  const auto describe = [&](const std::vector<ir::ValueId>& ids) {
    std::vector<kernels::ValueInfo> infos;
    for (ir::ValueId id : ids) {
      if (id == ir::kNoValue) {
        infos.push_back({.present = false});
        continue;
      }
      const ir::Value& value = program.graph.value(id);
      infos.push_back({value.dtype, *value.shape, program.graph.constant(id), true});
    }
    return infos;
  };
  const auto inputs = describe(node.inputs), outputs = describe(node.outputs);
  return kernels::choose({node, program.graph.opset, inputs, outputs}, reference_only);
}

}  // namespace

Engine::Engine(artifact::Program program, bool reference_only) : program_(std::move(program)) {
  for (ir::ValueId id : program_.graph.inputs) inputs_.push_back(artifact::whole_value(program_, id));
  for (ir::ValueId id : program_.graph.outputs) outputs_.push_back(artifact::whole_value(program_, id));
  for (const ir::Node& node : program_.graph.nodes) choices_.push_back(choose_kernel(program_, node, reference_only));
}

Session::Session(std::shared_ptr<const Engine> engine, int threads) : Session(std::span(&engine, 1), threads) {}

Session::Session(std::span<const std::shared_ptr<const Engine>> plans, int threads) : threads_(threads) {
  size_t arena = 0, scratch = 0;
  for (const auto& engine : plans) {
    arena = std::max<size_t>(arena, engine->program().arena_bytes);
    for (const kernels::Choice& choice : engine->choices())
      scratch = std::max(scratch, choice.kernel->scratch_bytes(threads_.size()));
  }
  arena_ = allocate(arena, "activations");
  scratch_ = allocate(scratch, "scratch");
  memory_bytes_ = arena + scratch;
  for (const auto& engine : plans) {
    plans_.push_back({engine, {}, {}});
    plans_.back().steps.resize(engine->program().graph.nodes.size());
    for (size_t step = 0; step < plans_.back().steps.size(); ++step) bind_step(plans_.back(), step);
  }
}

void Session::bind_step(Plan& plan, size_t step) const {
  const artifact::Program& program = plan.engine->program();
  const auto locate = [&](ir::ValueId id, size_t slot, bool of_output_list) -> std::byte* {
    if (id == ir::kNoValue) return nullptr;
    const artifact::Placement& placement = program.placements[static_cast<size_t>(id)];
    switch (placement.space) {
      case artifact::Placement::Space::kArena:
        return arena_.get() + placement.offset;
      case artifact::Placement::Space::kWeights:
        return const_cast<std::byte*>(program.graph.constant(id)->bytes().data());
      case artifact::Placement::Space::kInput:
      case artifact::Placement::Space::kOutput:
        plan.bindings.push_back({step, slot, placement.offset, of_output_list,
                                 placement.space == artifact::Placement::Space::kOutput,
                                 artifact::value_bytes(program.graph.value(id))});
        return nullptr;
      case artifact::Placement::Space::kNone:
        return nullptr;
    }
    return nullptr;
  };
  const ir::Node& node = program.graph.nodes[step];
  Step& tensors = plan.steps[step];
  for (size_t i = 0; i < node.inputs.size(); ++i) tensors.inputs.push_back(locate(node.inputs[i], i, false));
  for (size_t i = 0; i < node.outputs.size(); ++i) tensors.outputs.push_back(locate(node.outputs[i], i, true));
}

void Session::run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs, size_t plan) {
  Plan& chosen = plans_.at(plan);
  for (int64_t turn = 0; turn < chosen.engine->program().turns; ++turn) {
    for (const Binding& binding : chosen.bindings) {
      Step& step = chosen.steps[binding.step];
      const size_t offset = static_cast<size_t>(turn) * binding.turn_bytes;
      if (binding.of_output_list) {
        step.outputs[binding.slot] = outputs[binding.index] + offset;
      } else {
        step.inputs[binding.slot] = (binding.to_output ? outputs[binding.index] : inputs[binding.index]) + offset;
      }
    }
    run_turn(chosen);
  }
}

void Session::run_turn(Plan& plan) {
  const auto& [engine, steps, bindings] = plan;
  using Clock = std::chrono::steady_clock;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto start = on_step ? Clock::now() : Clock::time_point{};
    engine->choices()[i].kernel->run({steps[i].inputs, steps[i].outputs, scratch_.get(), threads_});
    if (on_step) on_step(i, std::chrono::duration<double>(Clock::now() - start).count());
  }
}

std::vector<Tensor> Session::run(std::span<const Tensor> inputs) {
  if (inputs.size() != engine().input_count())
    bad_input("the model takes {} inputs, not {}", engine().input_count(), inputs.size());
  std::vector<const std::byte*> sources;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ir::Value& value = engine().input(i);
    if (inputs[i].dtype() != value.dtype || inputs[i].shape() != *value.shape)
      bad_input("input '{}' is {} {}, not {} {}", value.name, dtype_name(value.dtype), shape_text(*value.shape),
                dtype_name(inputs[i].dtype()), shape_text(inputs[i].shape()));
    sources.push_back(inputs[i].bytes().data());
  }
  std::vector<Tensor> results;
  std::vector<std::byte*> targets;
  for (size_t i = 0; i < engine().output_count(); ++i) {
    results.emplace_back(engine().output(i).dtype, *engine().output(i).shape);
    targets.push_back(const_cast<std::byte*>(results.back().bytes().data()));
  }
  run(sources, targets);
  return results;
}

}  // namespace effdet::runtime
