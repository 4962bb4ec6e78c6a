// Weighted sums, pools, activations and conversions of whole maps.
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/step.h"
#include "kernels/cuda/typed.h"
#include "ops/fused/average_pool.h"
#include "ops/fused/max_pool.h"
#include "ops/fused/mix.h"

namespace effdet::kernels::cuda {
namespace {

/// A thread for each pack of channels of a map with so many values.
template <template <typename, int> class Kernel, typename Args>
void launch_packs(CudaQueue& queue, DType type, int64_t values, Args args) {
  with_type(type, [&](auto of) {
    using T = decltype(of);
    with_pack<T>(args.channels, [&](auto pack) {
      args.packs = values / pack();
      queue.launch_each<Kernel<T, pack()>>(args.packs, args);
    });
  });
}

class MixStep : public Step {
 public:
  MixStep(const PlanContext& c, const ops::MixAttributes& a)
      : Step(c), type_(c.outputs[0].dtype), values_(count_of(c.outputs[0].shape)) {
    args_.count = static_cast<int>(c.inputs.size());
    args_.height = static_cast<int>(a.height);
    args_.width = static_cast<int>(a.width);
    args_.channels = static_cast<int>(ops::dims_of(c.outputs[0].shape, a.layout).channels);
    args_.activation = a.activation;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      const ops::Dims in = ops::dims_of(c.inputs[i].shape, a.layout);
      args_.weights[i] = a.weights[i];
      args_.heights[i] = static_cast<int>(in.height);
      args_.widths[i] = static_cast<int>(in.width);
    }
  }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    MixArgs args = args_;
    std::copy_n(context.inputs.begin(), args.count, args.x);
    args.y = context.outputs[0];
    launch_packs<Mix>(queue, type_, values_, args);
  }

 private:
  DType type_;
  int64_t values_;
  MixArgs args_{};
};

class PoolStep : public Step {
 public:
  PoolStep(const PlanContext& c, const ops::Window2d& window, PoolArgs args)
      : Step(c), type_(c.outputs[0].dtype), values_(count_of(c.outputs[0].shape)), args_(args) {
    const ops::Dims in = ops::dims_of(c.inputs[0].shape, ir::Layout::kNhwc);
    args_.window = window_size(window, in, ops::dims_of(c.outputs[0].shape, ir::Layout::kNhwc));
    args_.channels = static_cast<int>(in.channels);
  }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    PoolArgs args = args_;
    args.x = context.inputs[0];
    args.y = context.outputs[0];
    launch_packs<Pool>(queue, type_, values_, args);
  }

 private:
  DType type_;
  int64_t values_;
  PoolArgs args_;
};

class ActivationStep : public Step {
 public:
  explicit ActivationStep(const PlanContext& c)
      : Step(c),
        type_(c.outputs[0].dtype),
        values_(count_of(c.outputs[0].shape)),
        activation_(ops::activation_of(c.node)) {}

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    const FinishArgs args{context.inputs[0], context.outputs[0], nullptr, values_, 1, 1, activation_};
    with_type(type_, [&](auto type) {
      using T = decltype(type);
      with_pack<T>(values_, [&](auto pack) { queue.launch_each<Finish<T, pack()>>(values_ / pack(), args); });
    });
  }

 private:
  DType type_;
  int64_t values_;
  Activation activation_;
};

class CastStep : public Step {
 public:
  explicit CastStep(const PlanContext& c)
      : Step(c),
        narrow_(c.inputs[0].dtype == DType::kF32 ? c.outputs[0].dtype : c.inputs[0].dtype),
        widens_(c.outputs[0].dtype == DType::kF32),
        values_(count_of(c.outputs[0].shape)) {}

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    const ConvertArgs args{context.inputs[0], context.outputs[0], values_};
    with_narrow_type(narrow_, [&](auto type) {
      using T = decltype(type);
      if (widens_) return queue.launch_each<Convert<T, float>>(values_, args);
      queue.launch_each<Convert<float, T>>(values_, args);
    });
  }

 private:
  DType narrow_;
  bool widens_;
  int64_t values_;
};

}  // namespace

Plan plan_mix(const PlanContext& c) {
  const auto a = ops::MixAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  if (c.inputs.size() > MixArgs::kMost) return {nullptr, "too many maps"};
  return {std::make_unique<MixStep>(c, a), ""};
}

Plan plan_max_pool(const PlanContext& c) {
  const auto a = ops::MaxPoolAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<PoolStep>(c, a.window, PoolArgs{.padding_is_zero = a.zero_padding}), ""};
}

Plan plan_average_pool(const PlanContext& c) {
  const auto a = ops::AveragePoolAttributes::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  const PoolArgs args{.is_mean = true, .counts_padding = a.count_include_pad};
  return {std::make_unique<PoolStep>(c, a.window, args), ""};
}

Plan plan_activation(const PlanContext& c) {
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<ActivationStep>(c), ""};
}

Plan plan_cast(const PlanContext& c) {
  const DType in = c.inputs[0].dtype, out = c.outputs[0].dtype;
  const bool converts = is_map_type(in) && is_map_type(out) && in != out && (in == DType::kF32 || out == DType::kF32);
  if (!converts) return {nullptr, "only between float32 and a float of 16 bits"};
  return {std::make_unique<CastStep>(c), ""};
}

}  // namespace effdet::kernels::cuda
