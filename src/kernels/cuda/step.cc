// Uploads constants, and runs steps under their names.
#include "kernels/cuda/step.h"

namespace effdet::kernels::cuda {

void DeviceConstant::upload(CudaQueue& queue) {
  const std::lock_guard lock(mutex_);
  if (memory_ != nullptr) return;
  auto memory = Machine::allocate(queue.machine(), tensor_.byte_size(), "weights");
  queue.upload(tensor_.bytes(), memory.get());
  memory_ = std::move(memory);
  tensor_ = {};
}

void Step::prepare(Queue* queue) const {
  for (const auto& constant : constants_) constant->upload(dynamic_cast<CudaQueue&>(*queue));
}

void Step::run(const RunContext& context) const {
  auto& queue = dynamic_cast<CudaQueue&>(*context.queue);
  queue.begin_step(name_);
  enqueue(queue, context);
}

const DeviceConstant& Step::add_constant(Tensor tensor) {
  return *constants_.emplace_back(std::make_unique<DeviceConstant>(std::move(tensor)));
}

}  // namespace effdet::kernels::cuda
