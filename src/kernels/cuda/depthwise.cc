// Depthwise layers, alone and with the pointwise layer before or after them. The map between goes through memory before
// its activation, which the reader applies: a product that ends with its bias needs no further pass.
#include "ops/fused/depthwise_conv.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/depthwise_layer.h"
#include "kernels/cuda/product.h"
#include "ops/fused/depthwise_pointwise.h"
#include "ops/fused/expand_depthwise.h"
#include "ops/fused/packing.h"

namespace effdet::kernels::cuda {
namespace {

bool wants_mean(const PlanContext& c) { return c.outputs.size() > 1 && c.outputs[1].present; }

class DepthwiseStep : public Step {
  using A = ops::DepthwiseConvAttributes;

 public:
  DepthwiseStep(const PlanContext& c, const DepthwiseLayer::Shape& shape) : Step(c), layer_(shape) {}
  size_t scratch_bytes(int) const override { return static_cast<size_t>(layer_.scratch_bytes()); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    layer_.enqueue(queue, context.inputs[A::kX], context.input(A::kWeights), context.input(A::kBias),
                   context.outputs[0], context.output(1), context.scratch);
  }

 private:
  DepthwiseLayer layer_;
};

/// The pointwise layer of a pair as OIHW weights.
Tensor pointwise_weights(const PlanContext& c, size_t weights, int64_t in, int64_t out) {
  return ops::unpack_conv_weights(*c.inputs[weights].constant, in, out, 1, 1);
}

class ExpandDepthwiseStep : public Step {
  using A = ops::ExpandDepthwiseAttributes;

 public:
  ExpandDepthwiseStep(const PlanContext& c, const DepthwiseLayer::Shape& shape, int64_t in_channels)
      : Step(c, {A::kExpandWeights, A::kExpandBias}),
        product_({.images = shape.in.batch,
                  .pixels = shape.in.height * shape.in.width,
                  .depth = in_channels,
                  .columns = shape.in.channels,
                  .in = shape.type,
                  .out = shape.type},
                 pointwise_weights(c, A::kExpandWeights, in_channels, shape.in.channels),
                 *c.inputs[A::kExpandBias].constant, *this),
        layer_(shape) {
    map_at_ = scratch_.add(count_of(shape.in) * static_cast<int64_t>(dtype_size(shape.type)));
    sums_at_ = scratch_.add(layer_.scratch_bytes());
  }
  size_t scratch_bytes(int) const override { return scratch_.size(); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    std::byte* map = context.scratch + map_at_;
    product_.enqueue(queue, context.inputs[A::kX], nullptr, nullptr, map, nullptr);
    layer_.enqueue(queue, map, context.input(A::kWeights), context.input(A::kBias), context.outputs[0],
                   context.output(1), context.scratch + sums_at_);
  }

 private:
  Product product_;
  DepthwiseLayer layer_;
  ScratchPlan scratch_;
  size_t map_at_ = 0, sums_at_ = 0;
};

class DepthwisePointwiseStep : public Step {
  using A = ops::DepthwisePointwiseAttributes;

 public:
  DepthwisePointwiseStep(const PlanContext& c, const A& a, const DepthwiseLayer::Shape& shape)
      : Step(c, {A::kWeights, A::kBias}),
        layer_(shape),
        product_({.images = shape.out.batch,
                  .pixels = shape.out.height * shape.out.width,
                  .depth = shape.out.channels,
                  .columns = a.out_channels,
                  .to_nchw = a.layouts.output == ir::Layout::kPlain,
                  .in = shape.type,
                  .out = c.outputs[0].dtype,
                  .activation = a.activation.activation},
                 pointwise_weights(c, A::kWeights, shape.out.channels, a.out_channels), *c.inputs[A::kBias].constant,
                 *this),
        scratch_bytes_(count_of(shape.out) * static_cast<int64_t>(dtype_size(shape.type))) {}
  size_t scratch_bytes(int) const override { return static_cast<size_t>(scratch_bytes_); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    layer_.enqueue(queue, context.inputs[A::kX], context.input(A::kDepthwiseWeights), context.input(A::kDepthwiseBias),
                   context.scratch, nullptr, nullptr);
    product_.enqueue(queue, context.scratch, context.input<std::byte>(A::kResidual), nullptr, context.outputs[0],
                     nullptr);
  }

 private:
  DepthwiseLayer layer_;
  Product product_;
  int64_t scratch_bytes_;
};

}  // namespace

Plan plan_depthwise(const PlanContext& c) {
  using A = ops::DepthwiseConvAttributes;
  const A a = A::of(c.node);
  if (a.x || a.y || c.has(A::kWeightScale)) return {nullptr, "only floats"};
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (!a.activation.steps.empty()) return {nullptr, "steps after the activation"};
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  const DepthwiseLayer::Shape shape{.window = a.window,
                                    .in = ops::dims_of(c.inputs[A::kX].shape, a.layout),
                                    .out = ops::dims_of(c.outputs[0].shape, a.layout),
                                    .type = c.inputs[A::kX].dtype,
                                    .after = a.activation.activation,
                                    .wants_mean = wants_mean(c)};
  if (auto refusal = DepthwiseLayer::refuse(shape); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<DepthwiseStep>(c, shape), ""};
}

Plan plan_expand_depthwise(const PlanContext& c) {
  using A = ops::ExpandDepthwiseAttributes;
  const A a = A::of(c.node);
  if (a.layout != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (auto refusal = refuse_types(c); !refusal.empty()) return {nullptr, refusal};
  if (auto refusal = refuse_product(c, A::kExpandWeights, A::kExpandBias); !refusal.empty()) return {nullptr, refusal};
  ops::Dims in = ops::dims_of(c.inputs[A::kX].shape, a.layout);
  const int64_t in_channels = std::exchange(in.channels, a.out_channels);
  const DepthwiseLayer::Shape shape{.window = a.window,
                                    .in = in,
                                    .out = ops::dims_of(c.outputs[0].shape, a.layout),
                                    .type = c.inputs[A::kX].dtype,
                                    .before = a.expand_activation,
                                    .after = a.activation,
                                    .wants_mean = wants_mean(c)};
  if (auto refusal = DepthwiseLayer::refuse(shape); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<ExpandDepthwiseStep>(c, shape, in_channels), ""};
}

Plan plan_depthwise_pointwise(const PlanContext& c) {
  using A = ops::DepthwisePointwiseAttributes;
  const A a = A::of(c.node);
  if (a.layouts.input != ir::Layout::kNhwc) return {nullptr, "only NHWC"};
  if (!a.depthwise_activation.steps.empty() || !a.activation.steps.empty())
    return {nullptr, "steps after the activation"};
  if (auto refusal = refuse_product(c, A::kWeights, A::kBias); !refusal.empty()) return {nullptr, refusal};
  const DType type = c.inputs[A::kX].dtype;
  if (type == DType::kF32 && c.outputs[0].dtype != type) return {nullptr, "a product of two types"};
  if (a.layouts.output == ir::Layout::kPlain && c.has(A::kResidual)) return {nullptr, "a residual needs NHWC"};
  const ops::Dims in = ops::dims_of(c.inputs[A::kX].shape, a.layouts.input);
  ops::Dims out = ops::dims_of(c.outputs[0].shape, a.layouts.output);
  out.channels = in.channels;
  const DepthwiseLayer::Shape shape{
      .window = a.window, .in = in, .out = out, .type = type, .after = a.depthwise_activation.activation};
  if (auto refusal = DepthwiseLayer::refuse(shape); !refusal.empty()) return {nullptr, refusal};
  return {std::make_unique<DepthwisePointwiseStep>(c, a, shape), ""};
}

}  // namespace effdet::kernels::cuda
