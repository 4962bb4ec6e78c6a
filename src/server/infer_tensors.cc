// Runs a model on the tensors of a request.
#include <fmt/ranges.h>

#include <algorithm>

#include "server/copy_bytes.h"
#include "server/http_error.h"
#include "server/infer_answer.h"
#include "server/infer_request.h"
#include "server/inference.h"
#include "server/stopwatch.h"

namespace effdet::server {
namespace {

bool fits_plan(const PlanTensors& plan, const std::vector<InferInput>& inputs) {
  return std::ranges::all_of(inputs, [&](const InferInput& input) {
    return std::ranges::any_of(plan.inputs, [&](const TensorInfo& tensor) {
      return tensor.name == input.name && tensor.shape == input.shape;
    });
  });
}

/// Says what is wrong with an input, for the plan whose tensors are nearest: the first.
void check_input(const PlanTensors& plan, const InferInput& input) {
  const auto tensor = std::ranges::find(plan.inputs, input.name, &TensorInfo::name);
  if (tensor == plan.inputs.end()) throw HttpError(400, "the model has no input '{}'", input.name);
  if (const DataType* type = data_type_of(tensor->dtype); type != input.type)
    throw HttpError(400, "input '{}': datatype {}, but the model's is {}", input.name, input.type->protocol,
                    type->protocol);
  if (tensor->shape != input.shape)
    throw HttpError(400, "input '{}': shape {}, but the model's is {}", input.name, input.shape, tensor->shape);
}

size_t plan_of_request(const HostedModel& model, InferRequest& request) {
  const PlanTensors& first = model.plans().front();
  if (request.raw) {
    if (first.inputs.size() != 1)
      throw HttpError(400, "a raw request is for models with one input; this one has {}", first.inputs.size());
    InferInput& input = request.inputs.front();
    input.name = first.inputs.front().name;
    input.type = data_type_of(first.inputs.front().dtype);
    input.shape = first.inputs.front().shape;
    if (input.bytes.size() != first.input_bytes.front())
      throw HttpError(400, "the raw body has {} bytes, but input '{}' of shape {} has {}", input.bytes.size(),
                      input.name, input.shape, first.input_bytes.front());
    return 0;
  }
  if (request.inputs.size() != first.inputs.size())
    throw HttpError(400, "{} inputs, but the model has {}", request.inputs.size(), first.inputs.size());
  size_t plan = 0;
  while (plan < model.plans().size() && !fits_plan(model.plans()[plan], request.inputs)) ++plan;
  if (plan == model.plans().size()) plan = 0;
  for (const InferInput& input : request.inputs) check_input(model.plans()[plan], input);
  return plan;
}

/// Kernels read and write elements where they lie.
bool is_aligned(std::span<const std::byte> elements) {
  constexpr size_t kAlignment = 16;
  return reinterpret_cast<uintptr_t>(elements.data()) % kAlignment == 0;
}

/// A header of any length may stand before the elements.
void align(InferInput& input) {
  if (is_aligned(input.bytes)) return;
  input.own.assign(input.bytes.begin(), input.bytes.end());
  input.bytes = input.own;
}

std::vector<std::span<const std::byte>> in_order(const PlanTensors& plan, std::vector<InferInput>& inputs) {
  std::vector<std::span<const std::byte>> ordered;
  for (const TensorInfo& tensor : plan.inputs) {
    const auto input = std::ranges::find(inputs, tensor.name, &InferInput::name);
    if (input == inputs.end()) throw HttpError(400, "input '{}' is missing", tensor.name);
    align(*input);
    ordered.push_back(input->bytes);
  }
  return ordered;
}

/// Where the model may write an output by itself: into shared memory, if nobody reads there again what the client may
/// have changed. Else empty.
std::span<std::byte> direct_place(const HostedModel& model, const Stream& stream, const TensorCall& call,
                                  size_t output) {
  const PlanTensors& plan = model.plans()[call.plan];
  const auto asked = std::ranges::find(call.infer.outputs, plan.outputs[output].name, &InferOutput::name);
  if (asked == call.infer.outputs.end() || !asked->shared) return {};
  const std::span<std::byte> memory = asked->place.memory;
  const bool is_float = plan.outputs[output].dtype.find("float") != std::string::npos;  // whole numbers may be indices
  const bool fits = memory.size() >= plan.output_bytes[output];
  if (!is_aligned(memory) || !is_float || !fits || stream.runner.reads_output(output, call.plan)) return {};
  return memory.first(plan.output_bytes[output]);
}

/// The outputs of one of the calls that ran together; written: those of all.
void answer_call(HostedModel& model, TensorCall& call, size_t index, size_t count,
                 std::span<const std::span<std::byte>> written, const std::shared_ptr<OutputMemory>& memory) {
  Stopwatch watch;
  const PlanTensors& plan = model.plans()[call.plan];
  std::vector<InferResult> results;
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const TensorInfo& tensor = plan.outputs[i];
    const size_t bytes = written[i].size() / count;
    results.push_back(
        {tensor.name, data_type_of(tensor.dtype), tensor.shape, written[i].subspan(index * bytes, bytes)});
  }
  call.answer = infer_answer(model.name(), call.infer, results, memory);
  call.work.seconds.output = watch.lap();
}

/// The inputs of all calls, one behind the other.
std::vector<std::span<const std::byte>> joined_inputs(HostedModel& model, Stream& stream, size_t plan,
                                                      std::span<TensorCall> calls) {
  stream.batch_inputs.resize(model.plans().size());
  std::optional<OutputMemory>& memory = stream.batch_inputs[plan];
  if (!memory) memory.emplace(model.plans()[plan].input_bytes);
  std::vector<std::span<const std::byte>> joined;
  for (size_t i = 0; i < memory->outputs().size(); ++i) {
    std::span<std::byte> left = memory->outputs()[i];
    joined.emplace_back(left);
    for (const TensorCall& call : calls) {
      copy_bytes(call.inputs[i], left.data());
      left = left.subspan(call.inputs[i].size());
    }
  }
  return joined;
}

/// plan: of all calls together.
void run_together(HostedModel& model, Stream& stream, size_t plan, std::span<TensorCall> calls) {
  try {
    Stopwatch watch;
    const auto inputs = calls.size() == 1 ? calls[0].inputs : joined_inputs(model, stream, plan, calls);
    const double input = watch.lap();
    const std::shared_ptr<OutputMemory> memory = model.output_memory(plan);
    std::vector<std::span<std::byte>> outputs(memory->outputs().begin(), memory->outputs().end());
    for (size_t i = 0; calls.size() == 1 && i < outputs.size(); ++i)
      if (const auto place = direct_place(model, stream, calls[0], i); !place.empty()) outputs[i] = place;
    stream.runner.run(inputs, outputs, plan);
    const double infer = watch.lap();
    for (size_t i = 0; i < calls.size(); ++i) {
      calls[i].work.seconds.input += input;
      calls[i].work.seconds.infer = infer;
      calls[i].work.executions = i == 0;
      try {
        answer_call(model, calls[i], i, calls.size(), outputs, memory);
      } catch (...) {
        calls[i].error = std::current_exception();
      }
    }
  } catch (...) {
    for (TensorCall& call : calls) call.error = std::current_exception();
  }
}

}  // namespace

void check_timeout(const Request& request, std::optional<uint64_t> timeout_us) {
  if (timeout_us.value_or(0) == 0 || request.target.find("timeout") != nullptr) return;
  const double waited = std::chrono::duration<double, std::micro>(Clock::now() - request.arrival).count();
  if (waited > static_cast<double>(*timeout_us)) throw TimeoutError();
}

TensorCall read_tensors(HostedModel& model, Request& request) {
  Stopwatch watch;
  TensorCall call;
  call.infer = parse_infer_request(request);
  check_timeout(request, call.infer.timeout_us);
  call.plan = plan_of_request(model, call.infer);
  call.inputs = in_order(model.plans()[call.plan], call.infer.inputs);
  call.work.seconds.input = watch.lap();
  return call;
}

void run_tensors(HostedModel& model, Stream& stream, std::span<TensorCall> calls) {
  while (!calls.empty()) {
    const auto same = std::ranges::find_if(calls, [&](const TensorCall& call) { return call.plan != calls[0].plan; });
    auto count = static_cast<size_t>(same - calls.begin());
    std::optional<size_t> plan;
    while (!(plan = count == 1 ? calls[0].plan : model.batch_plan(calls[0].plan, count))) --count;
    run_together(model, stream, *plan, calls.first(count));
    calls = calls.subspan(count);
  }
}

}  // namespace effdet::server
