// Kernels: what executes one step of a compiled model. Plan first (can this implementation run the step? with how much
// scratch?), then execute, which is const and allocates nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "base/thread_pool.h"
#include "ir/graph.h"

namespace effdet::kernels {

/// A step's input or output as a plan sees it.
struct ValueInfo {
  DType dtype = DType::kF32;
  Shape shape;
  const Tensor* constant = nullptr;  ///< set for weights
  bool present = true;               ///< false: an optional input that is absent or an output that nobody wants
};

/// What a plan is made from. The step has passed shape inference: shapes fit the attributes.
struct PlanContext {
  const ir::Node& node;
  int64_t opset;
  std::span<const ValueInfo> inputs, outputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present; }
};

/// Where a step's tensors lie while it runs; null for what is absent.
struct RunContext {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch;  ///< scratch_bytes(threads.size()) bytes, 64-byte aligned
  ThreadPool& threads;

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
  /// Same bits for the same input at any number of threads.
  virtual void run(const RunContext& context) const = 0;
};

/// A kernel, or the reason why this implementation cannot run the step.
struct Plan {
  std::unique_ptr<Kernel> kernel;
  std::string refusal;
};

/// One way to run an operator. Domain "*" and type "*" stand for every one.
struct Implementation {
  std::string_view domain, type;
  std::string_view name;  ///< "cpu:gemm", "reference"
  Plan (*plan)(const PlanContext&);
};

/// All implementations, best first within an operator, the reference last (list.cc).
std::span<const Implementation> implementations();

/// What choose() took for a step, and why not what stands before it in the list.
struct Choice {
  std::string_view implementation;
  std::unique_ptr<Kernel> kernel;
  std::vector<std::string> refusals;  ///< "name: reason"
};
/// The first implementation that can run the step. With reference_only, the reference. Throws Error(kUnsupported).
Choice choose(const PlanContext& context, bool reference_only = false);

}  // namespace effdet::kernels
