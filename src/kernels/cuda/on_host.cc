// What a GPU has no kernel for: tensors are copied to the host, the CPU's kernel runs, and what it makes is copied
// back.
#include "base/memory.h"
#include "kernels/cpu/device.h"
#include "kernels/cuda/cuda.h"

namespace effdet::kernels::cuda {
namespace {

class OnHost : public Kernel {
 public:
  OnHost(const PlanContext& c, std::unique_ptr<Kernel> kernel) : kernel_(std::move(kernel)) {
    for (const ValueInfo& input : c.inputs) inputs_.push_back(Copy(input));
    for (const ValueInfo& output : c.outputs) outputs_.push_back(Copy(output));
  }

  bool reads_constant(size_t) const override { return false; }  // they are on the host

  void run(const RunContext& context) const override {
    std::vector<Tensor> tensors;
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].is_on_host || context.inputs[i] == nullptr) {
        inputs.push_back(inputs_[i].is_on_host ? inputs_[i].constant.bytes().data() : nullptr);
        continue;
      }
      Tensor& tensor = tensors.emplace_back(inputs_[i].dtype, inputs_[i].shape);
      context.queue->download(context.inputs[i], tensor.mutable_bytes());
      inputs.push_back(tensor.bytes().data());
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      outputs.push_back(context.outputs[i] == nullptr
                            ? nullptr
                            : tensors.emplace_back(outputs_[i].dtype, outputs_[i].shape).mutable_bytes().data());
    const auto scratch = effdet::allocate(kernel_->scratch_bytes(context.threads.size()), "scratch");
    kernel_->run({inputs, outputs, scratch.get(), context.threads});
    for (size_t i = 0; i < outputs_.size(); ++i)
      if (outputs[i] != nullptr)
        context.queue->upload({outputs[i], Tensor(outputs_[i].dtype, outputs_[i].shape, nullptr).byte_size()},
                              context.outputs[i]);
  }

 private:
  /// A tensor of the step on the host.
  struct Copy {
    explicit Copy(const ValueInfo& info) : dtype(info.dtype), shape(info.shape) {
      if (info.constant == nullptr) return;
      constant = *info.constant;
      is_on_host = true;
    }
    DType dtype;
    Shape shape;
    Tensor constant;
    bool is_on_host = false;
  };

  std::unique_ptr<Kernel> kernel_;
  std::vector<Copy> inputs_, outputs_;
};

}  // namespace

Plan plan_on_host(const PlanContext& c) { return {std::make_unique<OnHost>(c, choose(cpu::device(), c).kernel), ""}; }

}  // namespace effdet::kernels::cuda
