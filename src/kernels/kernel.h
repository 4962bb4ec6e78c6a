// Kernels: what executes one step of a compiled model. Plan first (can this implementation run the step? with how much
// scratch?), then execute, which is const and allocates nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "ir/graph.h"

namespace effdet::kernels {

/// A step's input or output as a plan sees it.
struct ValueInfo {
  DType dtype = DType::kF32;
  Shape shape;
  const Tensor* constant = nullptr;  ///< set for weights; in the host's memory
  bool present = true;               ///< false: an optional input that is absent or an output that nobody wants
};

/// What a plan is made from. The step has passed shape inference: shapes fit the attributes.
struct PlanContext {
  const ir::Node& node;
  int64_t opset;
  std::span<const ValueInfo> inputs, outputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present; }
};

/// What a queue was given once, to be run again and again.
class Recording {
 public:
  virtual ~Recording() = default;
  /// Puts it into the queue.
  virtual void run() = 0;
};

/// The order in which a session's kernels run and its memory is copied, on a device where that is not the order of the
/// calls: a stream, and what else the device's kernels need. They know the class that their device makes. Not to be
/// used by two threads at once. Functions throw Error.
class Queue {
 public:
  virtual ~Queue() = default;
  /// Copies to the device's memory, after the kernels before it; returns when the host's bytes may change.
  virtual void upload(std::span<const std::byte> from, std::byte* to) = 0;
  /// Copies from the device's memory, after the kernels before it; returns when the bytes are there.
  virtual void download(const std::byte* from, std::span<std::byte> to) = 0;
  /// Returns when the kernels before it are done.
  virtual void wait() = 0;
  /// Calls steps(), which puts kernels into the queue, and keeps them instead of running them. Null where the queue
  /// cannot: nothing was called then.
  virtual std::unique_ptr<Recording> record(FunctionRef<void()> /*steps*/) { return nullptr; }
};

/// What a step runs with. Addresses are of its device's memory; null for what is absent.
struct RunContext {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch;      ///< scratch_bytes(threads.size()) bytes, 64-byte aligned
  ThreadPool& threads;     ///< the session's, on the host: what the CPU's kernels share their work among
  Queue* queue = nullptr;  ///< the session's, as the device made it; null on the CPU

  template <typename T = float>
  const T* input(size_t i) const {
    return i < inputs.size() ? reinterpret_cast<const T*>(inputs[i]) : nullptr;
  }
  template <typename T = float>
  T* output(size_t i = 0) const {
    return i < outputs.size() ? reinterpret_cast<T*>(outputs[i]) : nullptr;
  }
  float* scratch_floats() const { return reinterpret_cast<float*>(scratch); }
};

/// A planned step. Keeps nothing of the PlanContext but what it copied.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual size_t scratch_bytes(int /*threads*/) const { return 0; }
  /// Puts into a session's queue what the kernel needs there, before the first run: a model that is loaded, say.
  virtual void prepare(Queue* /*queue*/) const {}
  /// Whether run() reads that input of the step, where it is a constant, at its place in the device's memory. A kernel
  /// that made something else of it does not, and need not find it there.
  virtual bool reads_constant(size_t /*input*/) const { return true; }
  /// Whether run() does nothing but put the same into the queue each time that its addresses are the same.
  virtual bool is_recordable() const { return false; }
  /// Runs the step, or puts it into the queue. Same bits for the same input at any number of threads.
  virtual void run(const RunContext& context) const = 0;
};

/// A kernel, or the reason why this implementation cannot run the step.
struct Plan {
  std::unique_ptr<Kernel> kernel;
  std::string refusal;
};

}  // namespace effdet::kernels
