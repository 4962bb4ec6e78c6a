// What all planned steps on a GPU share: constants of their own, and the name that errors have.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/queue.h"
#include "kernels/kernel.h"

namespace effdet::kernels::cuda {

/// A tensor that a plan made, in the GPU's memory once the first session is prepared. Sessions share it.
class DeviceConstant {
 public:
  explicit DeviceConstant(Tensor tensor) : tensor_(std::move(tensor)) {}
  /// Throws Error(kOutOfMemory).
  void upload(CudaQueue& queue);
  const std::byte* get() const { return memory_.get(); }

 private:
  std::mutex mutex_;
  Tensor tensor_;  ///< empty once it is uploaded
  std::shared_ptr<std::byte> memory_;
};

class Step : public Kernel {
 public:
  /// made_over: inputs of which the step has constants of its own.
  explicit Step(const PlanContext& c, std::vector<size_t> made_over = {})
      : name_(c.node.name.empty() ? c.node.op : c.node.name), made_over_(std::move(made_over)) {}

  bool is_recordable() const override { return true; }
  bool reads_constant(size_t input) const final { return std::ranges::find(made_over_, input) == made_over_.end(); }
  void prepare(Queue* queue) const final;
  void run(const RunContext& context) const final;

  /// Before the first session is prepared. The constant is the step's.
  const DeviceConstant& add_constant(Tensor tensor);

 protected:
  virtual void enqueue(CudaQueue& queue, const RunContext& context) const = 0;

 private:
  const std::string name_;
  const std::vector<size_t> made_over_;
  std::vector<std::unique_ptr<DeviceConstant>> constants_;
};

}  // namespace effdet::kernels::cuda
