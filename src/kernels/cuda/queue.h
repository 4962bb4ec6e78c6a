// A session's stream on a GPU: what its kernels are put into.
#pragma once

#include <memory>
#include <string>

#include "kernels/cuda/kernel_list.h"
#include "kernels/cuda/machine.h"
#include "kernels/kernel.h"

namespace effdet::kernels::cuda {

class CudaQueue : public Queue {
 public:
  explicit CudaQueue(std::shared_ptr<const Machine> machine);
  ~CudaQueue() override;
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;

  void upload(std::span<const std::byte> from, std::byte* to) override;
  void download(const std::byte* from, std::span<std::byte> to) override;
  void wait() override;
  std::unique_ptr<Recording> record(FunctionRef<void()> steps) override;

  const std::shared_ptr<const Machine>& machine() const { return machine_; }

  /// The step that what follows belongs to: for errors.
  void begin_step(const std::string& name) { step_ = &name; }

  template <typename Kernel>
  void launch(int64_t blocks, int threads, int64_t shared_bytes, const typename Kernel::Args& args) {
    static_assert(kNumberOf<Kernel> >= 0, "not in the list of kernels");
    launch({kNumberOf<Kernel>, blocks, threads, shared_bytes, &args});
  }
  /// A thread for each of so many values.
  template <typename Kernel>
  void launch_each(int64_t count, const typename Kernel::Args& args) {
    constexpr int kThreads = 256;
    launch<Kernel>((count + kThreads - 1) / kThreads, kThreads, 0, args);
  }
  void gemm(const Gemm& gemm);

 private:
  void launch(const Launch& launch);
  void check(int code, const char* what) const;

  const std::shared_ptr<const Machine> machine_;
  Stream* stream_ = nullptr;
  const std::string* step_ = nullptr;  ///< null: no step's
};

}  // namespace effdet::kernels::cuda
