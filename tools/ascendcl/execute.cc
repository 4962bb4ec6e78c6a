// Runs of models, at once or on a stream.
#include <cstring>

#include "dataset.h"
#include "device_memory.h"
#include "kernels/ascend/functions.h"
#include "library.h"
#include "model.h"
#include "tensor_desc.h"

namespace effdet::acl {
namespace {

struct Span {
  Place place;
  size_t bytes;
};

/// A run whose memory is found and checked: programs may change their data sets while it waits on a stream.
struct Run {
  std::shared_ptr<Model> model;
  size_t plan = 0;
  std::vector<Span> inputs, outputs;

  void operator()() {
    for (size_t i = 0; i < inputs.size(); ++i) model->inputs[i] = {inputs[i].place.data, inputs[i].bytes};
    for (size_t i = 0; i < outputs.size(); ++i) model->outputs[i] = {outputs[i].place.data, outputs[i].bytes};
    model->runner.run(model->inputs, model->outputs, plan);
  }
};

/// The memory of a buffer for a tensor of that size: it may be larger.
Span memory_of(const Dataset::Entry& entry, size_t needed, const char* what, size_t index, bool may_allocate) {
  const std::shared_ptr<DataBuffer> buffer = data_buffers().get(entry.buffer);
  const std::lock_guard lock(buffer->mutex);
  if (buffer->address == nullptr && may_allocate) {  // the program frees it
    buffer->address = DeviceMemory::instance().allocate(current_context()->device(), needed);
    buffer->bytes = needed;
  }
  require(buffer->bytes >= needed, kGeParamInvalid, "{} {} has {} bytes, the model needs {}", what, index,
          buffer->bytes, needed);
  return {DeviceMemory::instance().at(buffer->address, needed, what), needed};
}

size_t plan_of(const Model& model, Dataset& inputs) {
  if (model.desc.gears == Gears::kNone) return 0;
  require(inputs.plan && inputs.plan->model_id == model.desc.model_id, kGeParamInvalid,
          "the model has several shapes: call aclmdlSetDynamicBatchSize, aclmdlSetDynamicHWSize or "
          "aclmdlSetInputDynamicDims first");
  return inputs.plan->plan;
}

/// What a run made of an output, for the program that asked by a tensor description.
void tell_shapes(const Model& model, const Dataset& outputs, size_t plan) {
  for (size_t i = 0; i < outputs.entries.size(); ++i) {
    if (outputs.entries[i].tensor_desc == nullptr) continue;
    const std::shared_ptr<TensorDesc> desc = tensor_descs().get(outputs.entries[i].tensor_desc);
    desc->dims = model.desc.output_dims[plan][i];
    desc->type = model.desc.outputs[i].type;
    desc->format = model.desc.outputs[i].format;
  }
}

Run prepare(uint32_t id, const aclmdlDataset* input, const aclmdlDataset* output, bool may_allocate) {
  require_initialized();
  Run run{.model = model_of(id)};
  const Model& model = *run.model;
  require(current_context() == model.context, kRtModelContext, "model {} was loaded in another context", id);
  const std::shared_ptr<Dataset> inputs = datasets().get(input), outputs = datasets().get(output);
  std::unique_lock first(inputs->mutex, std::defer_lock), second(outputs->mutex, std::defer_lock);
  if (inputs == outputs)
    first.lock();  // one for both is odd, and allowed
  else
    std::lock(first, second);
  require(inputs->entries.size() == model.desc.inputs.size(), kGeParamInvalid, "{} inputs, the model has {}",
          inputs->entries.size(), model.desc.inputs.size());
  require(outputs->entries.size() == model.desc.outputs.size(), kGeParamInvalid, "{} outputs, the model has {}",
          outputs->entries.size(), model.desc.outputs.size());
  run.plan = plan_of(model, *inputs);
  const auto& input_bytes = run.model->runner.input_bytes(run.plan);
  const auto& output_bytes = run.model->runner.output_bytes(run.plan);
  for (size_t i = 0; i < input_bytes.size(); ++i)
    run.inputs.push_back(memory_of(inputs->entries[i], input_bytes[i], "input", i, false));
  for (size_t i = 0; i < output_bytes.size(); ++i)
    run.outputs.push_back(memory_of(outputs->entries[i], output_bytes[i], "output", i, may_allocate));
  tell_shapes(model, *outputs, run.plan);
  return run;
}

aclError execute(const char* function, uint32_t id, const aclmdlDataset* input, aclmdlDataset* output) {
  return answer(function, [&] {
    Run run = prepare(id, input, output, true);
    const std::unique_lock alone(run.model->running, std::try_to_lock);
    require(alone.owns_lock(), kRtModelRunning,
            "model {} is running, in another thread or on a stream: each loads its own", id);
    run();
  });
}

aclError execute_on(const char* function, uint32_t id, const aclmdlDataset* input, aclmdlDataset* output,
                    aclrtStream stream) {
  return answer(function, [&] {
    const std::shared_ptr<Stream> queue = stream_of(stream);
    queue->push([run = prepare(id, input, output, false)]() mutable {
      const std::lock_guard alone(run.model->running);
      run();
    });
  });
}

/// Options of a run: none that matters here.
struct RunConfig {};
Handles<RunConfig>& run_configs() {
  static auto& kept = *new Handles<RunConfig>(9, "run configuration", kInvalidParam);
  return kept;
}

}  // namespace

ACL_EXPORT aclError aclmdlExecute(uint32_t id, const aclmdlDataset* input, aclmdlDataset* output) {
  return execute("aclmdlExecute", id, input, output);
}
ACL_EXPORT aclError aclmdlExecuteAsync(uint32_t id, const aclmdlDataset* input, aclmdlDataset* output,
                                       aclrtStream stream) {
  return execute_on("aclmdlExecuteAsync", id, input, output, stream);
}
ACL_EXPORT aclError aclmdlExecuteV2(uint32_t id, const aclmdlDataset* input, aclmdlDataset* output, aclrtStream stream,
                                    const aclmdlExecConfigHandle* config) {
  const aclError code = answer("aclmdlExecuteV2", [&] {
    run_configs().get(config);
    stream_of(stream)->synchronize();  // in order with what is on the stream
  });
  return code == kSuccess ? execute("aclmdlExecuteV2", id, input, output) : code;
}
ACL_EXPORT aclError aclmdlExecuteAsyncV2(uint32_t id, const aclmdlDataset* input, aclmdlDataset* output,
                                         aclrtStream stream, const aclmdlExecConfigHandle* config) {
  const aclError code = answer("aclmdlExecuteAsyncV2", [&] { run_configs().get(config); });
  return code == kSuccess ? execute_on("aclmdlExecuteAsyncV2", id, input, output, stream) : code;
}

ACL_EXPORT aclmdlExecConfigHandle* aclmdlCreateExecConfigHandle() {
  return answer_or<aclmdlExecConfigHandle*>("aclmdlCreateExecConfigHandle", nullptr, [] {
    return static_cast<aclmdlExecConfigHandle*>(run_configs().add(std::make_shared<RunConfig>()));
  });
}
ACL_EXPORT aclError aclmdlDestroyExecConfigHandle(const aclmdlExecConfigHandle* config) {
  return answer("aclmdlDestroyExecConfigHandle", [&] { run_configs().remove(config); });
}
/// Time limits and memory of hardware: looked at, and without effect.
ACL_EXPORT aclError aclmdlSetExecConfigOpt(aclmdlExecConfigHandle* config, aclmdlExecConfigAttr option,
                                           const void* value, size_t bytes) {
  return answer("aclmdlSetExecConfigOpt", [&] {
    run_configs().get(config);
    need(static_cast<const std::byte*>(value), "attrValue");
    require(option <= 7, kInvalidParam, "there is no option {}", static_cast<unsigned>(option));
    const bool is_timeout = option == ACL_MDL_STREAM_SYNC_TIMEOUT || option == ACL_MDL_EVENT_SYNC_TIMEOUT;
    require(bytes == (is_timeout ? sizeof(int32_t) : sizeof(size_t)), kInvalidParam, "valueSize is {}", bytes);
    if (!is_timeout) return;
    int32_t milliseconds = 0;
    std::memcpy(&milliseconds, value, sizeof milliseconds);
    require(milliseconds >= -1, kInvalidParam, "a time limit of {} ms", milliseconds);
  });
}

}  // namespace effdet::acl
