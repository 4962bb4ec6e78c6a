// C interface: tensors in, tensors out.
#include <mutex>

#include "api/c/call.h"
#include "api/c/model.h"

using namespace effdet;
using namespace effdet::api;

struct effdet_runner {
  Runner runner;
  std::mutex mutex;
  OfProcess process;
};

effdet_status effdet_runner_new(const effdet_model* model, int threads, effdet_runner** runner) {
  return call([&] {
    need(runner, "runner");
    *runner = new effdet_runner{Runner(need(model, "model").model, api::threads(threads)), {}, {}};
  });
}

effdet_status effdet_runner_run(effdet_runner* runner, const void* const* inputs, const size_t* input_bytes,
                                size_t num_inputs, void* const* outputs, const size_t* output_bytes,
                                size_t num_outputs) {
  return call([&] {
    need(runner, "runner").process.check("the runner");
    const size_t expected_inputs = runner->runner.input_bytes().size();
    const size_t expected_outputs = runner->runner.output_bytes().size();
    if (num_inputs != expected_inputs || num_outputs != expected_outputs)
      fail(ErrorCode::kUsage, "{} inputs and {} outputs: the model has {} and {}", num_inputs, num_outputs,
           expected_inputs, expected_outputs);
    std::vector<std::span<const std::byte>> in;
    std::vector<std::span<std::byte>> out;
    for (size_t i = 0; i < num_inputs; ++i)
      in.emplace_back(static_cast<const std::byte*>((&need(inputs, "inputs"))[i]),
                      (&need(input_bytes, "input_bytes"))[i]);
    for (size_t i = 0; i < num_outputs; ++i)
      out.emplace_back(static_cast<std::byte*>((&need(outputs, "outputs"))[i]),
                       (&need(output_bytes, "output_bytes"))[i]);
    for (const auto& tensor : in) need(tensor.data(), "an input");
    for (const auto& tensor : out) need(tensor.data(), "an output");
    const std::lock_guard lock(runner->mutex);
    runner->runner.run(in, out);
  });
}

void effdet_runner_free(effdet_runner* runner) { delete runner; }
