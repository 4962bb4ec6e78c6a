// Chooses each step's kernel, binds steps to memory, and runs them, micro-batch by micro-batch.
#include "runtime/engine.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "runtime/threads_impl.h"

namespace effdet::runtime {
namespace {

kernels::Choice choose_kernel(const kernels::Device& device, const artifact::Program& program, const ir::Node& node,
                              bool reference_only) {
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
  return kernels::choose(device, {node, program.graph.opset, inputs, outputs}, reference_only);
}

}  // namespace

Engine::Engine(artifact::Program program, bool reference_only) : Engine(std::move(program), reference_only, nullptr) {}

Engine::Engine(artifact::Program program, bool reference_only, const std::shared_ptr<Constants>& constants)
    : program_(std::move(program)), device_(kernels::device_named(program_.target)) {
  for (ir::ValueId id : program_.graph.inputs) inputs_.push_back(artifact::whole_value(program_, id));
  for (ir::ValueId id : program_.graph.outputs) outputs_.push_back(artifact::whole_value(program_, id));
  for (const ir::Node& node : program_.graph.nodes)
    choices_.push_back(choose_kernel(device_, program_, node, reference_only));
  const auto own = constants != nullptr ? constants : std::make_shared<Constants>(std::span(&program_, 1), device_);
  for (size_t step = 0; step < choices_.size(); ++step) {
    const std::vector<ir::ValueId>& inputs = program_.graph.nodes[step].inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor* constant = inputs[i] != ir::kNoValue ? program_.graph.constant(inputs[i]) : nullptr;
      if (constant != nullptr && choices_[step].kernel->reads_constant(i)) own->want(*constant);
    }
  }
  constants_ = own;
}

std::vector<std::shared_ptr<const Engine>> make_engines(std::vector<artifact::Program> plans) {
  const auto constants = std::make_shared<Constants>(plans, kernels::device_named(plans.at(0).target));
  std::vector<std::shared_ptr<const Engine>> engines;
  for (artifact::Program& plan : plans)
    engines.push_back(std::make_shared<Engine>(std::move(plan), /*reference_only=*/false, constants));
  return engines;
}

Session::Session(std::shared_ptr<const Engine> engine, int threads) : Session(std::span(&engine, 1), threads) {}

Session::Session(std::span<const std::shared_ptr<const Engine>> plans, int threads)
    : Session(plans, Threads(threads)) {}

Session::Session(std::span<const std::shared_ptr<const Engine>> plans, const Threads& threads)
    : device_(plans.front()->device()), threads_(threads), queue_(device_.make_queue()) {
  size_t arena = 0, scratch = 0;
  std::vector<std::vector<ir::Value>> inputs, outputs;
  for (const auto& engine : plans) {
    if (&engine->device() != &device_) fail(ErrorCode::kInternal, "plans of one session for several devices");
    arena = std::max<size_t>(arena, engine->program().arena_bytes);
    for (const kernels::Choice& choice : engine->choices())
      scratch = std::max(scratch, choice.kernel->scratch_bytes(threads_.count()));
    inputs.push_back(engine->inputs());
    outputs.push_back(engine->outputs());
  }
  for (const auto& engine : plans) {
    engine->constants().upload();
    for (const kernels::Choice& choice : engine->choices()) choice.kernel->prepare(queue_.get());
  }
  arena_ = device_.allocate(arena, "activations");
  scratch_ = device_.allocate(scratch, "scratch");
  memory_bytes_ = arena + scratch;
  if (!device_.uses_host_memory()) {
    inputs_.emplace(device_, inputs, "inputs");
    outputs_.emplace(device_, outputs, "outputs");
    memory_bytes_ += inputs_->memory_bytes() + outputs_->memory_bytes();
  }
  for (const auto& engine : plans) {
    Plan& plan = plans_.emplace_back();
    plan.engine = engine;
    plan.is_recordable = inputs_ && std::ranges::all_of(engine->choices(), [](const kernels::Choice& choice) {
                           return choice.kernel->is_recordable();
                         });
    plan.steps.resize(engine->program().graph.nodes.size());
    for (size_t step = 0; step < plan.steps.size(); ++step) bind_step(plan, step);
  }
}

void Session::bind_step(Plan& plan, size_t step) const {
  using Space = artifact::Placement::Space;
  const artifact::Program& program = plan.engine->program();
  const auto in_arena = [&](ir::ValueId id) -> std::byte* {
    const artifact::Placement* placement = id != ir::kNoValue ? &program.placements[static_cast<size_t>(id)] : nullptr;
    return placement != nullptr && placement->space == Space::kArena ? arena_.get() + placement->offset : nullptr;
  };
  const auto note_binding = [&](ir::ValueId id, size_t slot, bool of_output_list) {
    if (id == ir::kNoValue) return;
    const artifact::Placement& placement = program.placements[static_cast<size_t>(id)];
    if (placement.space == Space::kInput || placement.space == Space::kOutput)
      plan.bindings.push_back({step, slot, placement.offset, of_output_list, placement.space == Space::kOutput,
                               artifact::value_bytes(program.graph.value(id))});
  };
  const ir::Node& node = program.graph.nodes[step];
  Step& tensors = plan.steps[step];
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor* constant = node.inputs[i] != ir::kNoValue ? program.graph.constant(node.inputs[i]) : nullptr;
    tensors.inputs.push_back(constant != nullptr ? plan.engine->constants().place(*constant)
                                                 : in_arena(node.inputs[i]));
    note_binding(node.inputs[i], i, false);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    tensors.outputs.push_back(in_arena(node.outputs[i]));
    note_binding(node.outputs[i], i, true);
  }
}

bool Session::reads_output(size_t output, size_t plan) const {
  return std::ranges::any_of(plans_.at(plan).bindings, [&](const Binding& binding) {
    return binding.to_output && !binding.of_output_list && binding.index == output;
  });
}

void Session::run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs, size_t plan) {
  if (!inputs_) return run_plan(plans_.at(plan), inputs, outputs);
  run_at_device([&](kernels::Queue&, std::span<std::byte* const>) { upload(plan, inputs); },
                [&](kernels::Queue&, std::span<std::byte* const>) { download(plan, outputs); }, plan);
}

void Session::run_at_device(AtDevice write_inputs, AtDevice take_outputs, size_t plan) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  auto start = Clock::now();
  write_inputs(*queue_, inputs_->places());
  upload_seconds = seconds_since(start);
  start = Clock::now();
  run_on_device(plans_.at(plan));
  queue_->wait();  // so that a download's time is its own
  run_seconds = seconds_since(start);
  start = Clock::now();
  take_outputs(*queue_, outputs_->places());
  download_seconds = seconds_since(start);
}

void Session::run_on_device(Plan& plan) {
  const auto steps = [&] { run_plan(plan, inputs_->places(), outputs_->places()); };
  // The first run is none: it may load code, which a recording cannot.
  if (on_step || !plan.is_recordable || !std::exchange(plan.has_run, true)) return steps();
  if (plan.recording == nullptr) plan.recording = queue_->record(steps);
  if (plan.recording == nullptr) return steps();
  plan.recording->run();
}

void Session::run_plan(Plan& plan, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) {
  for (int64_t part = 0; part < plan.engine->program().micro_batches; ++part) {
    for (const Binding& binding : plan.bindings) {
      Step& step = plan.steps[binding.step];
      const size_t offset = static_cast<size_t>(part) * binding.part_bytes;
      if (binding.of_output_list) {
        step.outputs[binding.slot] = outputs[binding.index] + offset;
      } else {
        step.inputs[binding.slot] = (binding.to_output ? outputs[binding.index] : inputs[binding.index]) + offset;
      }
    }
    run_steps(plan);
  }
}

void Session::run_steps(Plan& plan) {
  const auto& engine = plan.engine;
  const std::vector<Step>& steps = plan.steps;
  using Clock = std::chrono::steady_clock;
  ThreadsAccess::Team& team = *ThreadsAccess::team(threads_);
  const std::lock_guard turn(team.turn);
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto start = on_step ? Clock::now() : Clock::time_point{};
    engine->choices()[i].kernel->run({steps[i].inputs, steps[i].outputs, scratch_.get(), team.pool, queue_.get()});
    if (!on_step) continue;
    if (queue_ != nullptr) queue_->wait();
    on_step(i, std::chrono::duration<double>(Clock::now() - start).count());
  }
}

Tensor Session::step_output(size_t step, size_t output, size_t plan) const {
  const std::byte* place = plans_.at(plan).steps.at(step).outputs.at(output);
  if (place == nullptr) return {};
  const ir::Graph& graph = engine(plan).program().graph;
  const ir::Value& value = graph.value(graph.nodes[step].outputs[output]);
  // Not owned: the arena outlives the step.
  if (device_.uses_host_memory()) return Tensor(value.dtype, *value.shape, {std::shared_ptr<const std::byte>(), place});
  Tensor copy(value.dtype, *value.shape);
  queue_->download(place, copy.mutable_bytes());
  return copy;
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
    targets.push_back(results.back().mutable_bytes().data());
  }
  run(sources, targets);
  return results;
}

}  // namespace effdet::runtime
