// Runs a model on the tensors of a request.
#include <fmt/ranges.h>

#include <algorithm>

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

/// Kernels read elements where they lie; a header of any length may stand before them.
void align(InferInput& input) {
  constexpr size_t kAlignment = 16;
  if (reinterpret_cast<uintptr_t>(input.bytes.data()) % kAlignment == 0) return;
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

}  // namespace

void check_timeout(const Request& request, uint64_t timeout_us) {
  const double waited = std::chrono::duration<double, std::micro>(Clock::now() - request.arrival).count();
  if (timeout_us > 0 && waited > static_cast<double>(timeout_us)) throw TimeoutError();
}

Answer infer_tensors(HostedModel& model, Stream& stream, const std::shared_ptr<Request>& request, Work& work) {
  Stopwatch watch;
  InferRequest infer = parse_infer_request(*request);
  if (infer.timeout_us) check_timeout(*request, *infer.timeout_us);
  const size_t index = plan_of_request(model, infer);
  const PlanTensors& plan = model.plans()[index];
  const std::vector<std::span<const std::byte>> inputs = in_order(plan, infer.inputs);
  work.seconds.input = watch.lap();

  const std::shared_ptr<OutputMemory> memory = model.output_memory(index);
  stream.runner.run(inputs, memory->outputs(), index);
  work.seconds.infer = watch.lap();

  std::vector<InferResult> results;
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const TensorInfo& tensor = plan.outputs[i];
    results.push_back({tensor.name, data_type_of(tensor.dtype), tensor.shape, memory->outputs()[i]});
  }
  Answer answer = infer_answer(model.name(), infer, results, memory);
  work.seconds.output = watch.lap();
  return answer;
}

}  // namespace effdet::server
