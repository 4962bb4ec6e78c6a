// Between float32 and bfloat16, and from bools and integers to float32.
#include <algorithm>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {
namespace {

constexpr int64_t kChunk = 1 << 15;

/// Calls copy(first, count) for parts of so many values, in parallel.
template <typename F>
void for_chunks(ThreadPool& threads, int64_t count, F&& copy) {
  threads.parallel_for((count + kChunk - 1) / kChunk,
                       [&](int64_t task, int) { copy(task * kChunk, std::min(kChunk, count - task * kChunk)); });
}

int64_t count_of(const PlanContext& c) { return Tensor(DType::kF32, c.inputs[0].shape, nullptr).numel(); }

class Narrow : public Kernel {
 public:
  explicit Narrow(int64_t count) : micro_(micro_kernels()), count_(count) {}
  void run(const RunContext& context) const override {
    for_chunks(context.threads, count_, [&](int64_t first, int64_t count) {
      micro_.narrow(context.input(0) + first, context.output<Bf16>() + first, count);
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t count_;
};

class Widen : public Kernel {
 public:
  explicit Widen(int64_t count) : micro_(micro_kernels()), count_(count) {}
  void run(const RunContext& context) const override {
    for_chunks(context.threads, count_, [&](int64_t first, int64_t count) {
      micro_.widen(context.input<Bf16>(0) + first, context.output() + first, count);
    });
  }

 private:
  const MicroKernels& micro_;
  int64_t count_;
};

template <typename T>
class ToFloat : public Kernel {
 public:
  explicit ToFloat(int64_t count) : count_(count) {}
  void run(const RunContext& context) const override {
    for_chunks(context.threads, count_, [&](int64_t first, int64_t count) {
      const T* x = context.input<T>(0) + first;
      std::transform(x, x + count, context.output() + first, [](T value) { return static_cast<float>(value); });
    });
  }

 private:
  int64_t count_;
};

std::unique_ptr<Kernel> to_float(DType from, int64_t count) {
  switch (from) {
    case DType::kBool:
    case DType::kU8:
      return std::make_unique<ToFloat<uint8_t>>(count);
    case DType::kI8:
      return std::make_unique<ToFloat<int8_t>>(count);
    case DType::kU16:
      return std::make_unique<ToFloat<uint16_t>>(count);
    case DType::kI16:
      return std::make_unique<ToFloat<int16_t>>(count);
    case DType::kU32:
      return std::make_unique<ToFloat<uint32_t>>(count);
    case DType::kI32:
      return std::make_unique<ToFloat<int32_t>>(count);
    case DType::kU64:
      return std::make_unique<ToFloat<uint64_t>>(count);
    case DType::kI64:
      return std::make_unique<ToFloat<int64_t>>(count);
    case DType::kBF16:
      return std::make_unique<Widen>(count);
    default:
      return nullptr;
  }
}

}  // namespace

Plan plan_cast(const PlanContext& c) {
  const DType from = c.inputs[0].dtype, to = c.outputs[0].dtype;
  if (from == DType::kF32 && to == DType::kBF16) return {std::make_unique<Narrow>(count_of(c)), ""};
  auto kernel = to == DType::kF32 ? to_float(from, count_of(c)) : nullptr;
  if (!kernel) return {nullptr, "only float32 to bfloat16, and that and integers to float32"};
  return {std::move(kernel), ""};
}

}  // namespace effdet::kernels::cpu
