// Dense convolutions and products by weights: direct, or as a matrix product of pixels or of gathered windows.
#include "ops/fused/conv.h"

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/product.h"
#include "ops/fused/matmul.h"
#include "ops/fused/packing.h"

namespace effdet::kernels::cuda {
namespace {

using A = ops::ConvAttributes;

/// Below this, the windows that a product would read again and again take more than the products.
constexpr int64_t kMostDirectDepth = 64;

/// A Conv, or a MatMul as one, with its dimensions.
struct ConvShape {
  A a;
  ops::Dims in, out;
  DType in_type, out_type;
  bool has_residual, has_gate;

  int64_t depth() const { return a.depth(in.channels); }
  bool is_direct() const {
    if (has_gate) return false;
    const bool widens_before = in_type == DType::kF32 && out_type != DType::kF32;
    return a.group > 1 || widens_before || depth() <= kMostDirectDepth;
  }
  bool to_nchw() const { return a.layouts.output == ir::Layout::kPlain; }
};

class DirectConvStep : public Step {
 public:
  DirectConvStep(const PlanContext& c, const ConvShape& shape)
      : Step(c, {A::kWeights}),
        shape_(shape),
        weights_(add_constant(ops::pack_conv_weights(conv_weights(c, shape.a, shape.in.channels)))) {}

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    const auto& [a, in, out, in_type, out_type, has_residual, has_gate] = shape_;
    const int64_t panels = ops::panel_count(out.channels), pixels = out.batch * out.height * out.width;
    const DirectConvArgs args{
        .x = context.inputs[A::kX],
        .weights = reinterpret_cast<const float*>(weights_.get()),
        .bias = context.input(A::kBias),
        .residual = context.input<std::byte>(A::kResidual),
        .y = context.outputs[0],
        .window = window_size(a.window, in, out),
        .x_strides = strides_of(in, a.layouts.input),
        .y_strides = strides_of(out, a.layouts.output),
        .pixels = pixels,
        .channels = static_cast<int>(out.channels),
        .group_channels = static_cast<int>(a.group_channels(in.channels)),
        .group_panels = static_cast<int>(panels / a.group),
        .activation = a.activation.activation,
    };
    const auto launch = [&](auto x, auto y) {
      using Kernel = DirectConv<decltype(x), decltype(y)>;
      queue.launch<Kernel>((pixels + Kernel::kThreads - 1) / Kernel::kThreads * panels, Kernel::kThreads,
                           Kernel::kSharedBytes, args);
    };
    if (in_type == out_type) return with_type(in_type, [&](auto type) { launch(type, type); });
    if (in_type == DType::kF32) return with_narrow_type(out_type, [&](auto type) { launch(0.0f, type); });
    with_narrow_type(in_type, [&](auto type) { launch(type, 0.0f); });
  }

 private:
  ConvShape shape_;
  const DeviceConstant& weights_;
};

class ConvStep : public Step {
 public:
  ConvStep(const PlanContext& c, const ConvShape& shape)
      : Step(c, {A::kWeights, A::kBias}),
        shape_(shape),
        gathers_(!shape.a.is_pointwise() || shape.a.layouts.input != ir::Layout::kNhwc),
        product_(product_shape(), conv_weights(c, shape.a, shape.in.channels), *c.inputs[A::kBias].constant, *this) {
    if (gathers_)
      windows_at_ = scratch_.add(row_count() * shape.depth() * static_cast<int64_t>(dtype_size(shape.in_type)));
    gated_at_ = scratch_.add(product_.scratch_bytes());
  }

  size_t scratch_bytes(int) const override { return scratch_.size(); }

 protected:
  void enqueue(CudaQueue& queue, const RunContext& context) const override {
    const std::byte* x = context.inputs[A::kX];
    if (gathers_) {
      gather(queue, x, context.scratch + windows_at_);
      x = context.scratch + windows_at_;
    }
    product_.enqueue(queue, x, context.input<std::byte>(A::kResidual), context.input<std::byte>(A::kGate),
                     context.outputs[0], context.scratch + gated_at_);
  }

 private:
  int64_t row_count() const { return shape_.out.batch * shape_.out.height * shape_.out.width; }

  ProductShape product_shape() const {
    return {.images = shape_.out.batch,
            .pixels = shape_.out.height * shape_.out.width,
            .depth = shape_.depth(),
            .columns = shape_.out.channels,
            .gates = shape_.has_gate ? shape_.in.channels : 0,
            .to_nchw = shape_.to_nchw(),
            .in = shape_.in_type,
            .out = shape_.out_type,
            .activation = shape_.a.activation.activation};
  }

  void gather(CudaQueue& queue, const std::byte* x, std::byte* windows) const {
    const GatherArgs args{.x = x,
                          .y = windows,
                          .window = window_size(shape_.a.window, shape_.in, shape_.out),
                          .x_strides = strides_of(shape_.in, shape_.a.layouts.input),
                          .values = row_count() * shape_.depth(),
                          .channels = static_cast<int>(shape_.in.channels)};
    with_type(shape_.in_type, [&](auto type) { queue.launch_each<GatherWindows<decltype(type)>>(args.values, args); });
  }

  ConvShape shape_;
  bool gathers_;
  Product product_;
  ScratchPlan scratch_;
  size_t windows_at_ = 0, gated_at_ = 0;
};

/// Why the parts that a Conv and a MatMul have in common are not computed here; empty where they are.
std::string refuse_conv(const PlanContext& c, const A& a) {
  if (a.x || a.y || c.has(A::kWeightScale)) return "only floats";
  if (!a.activation.steps.empty()) return "steps after the activation";
  return refuse_product(c, A::kWeights, A::kBias);
}

Plan plan_shape(const PlanContext& c, const ConvShape& shape) {
  if (shape.to_nchw() && shape.has_residual) return {nullptr, "a residual needs NHWC"};
  if (shape.has_gate && shape.in_type == DType::kF32 && shape.out_type != DType::kF32)
    return {nullptr, "a gate of float32 to 16 bits"};
  if (shape.is_direct()) return {std::make_unique<DirectConvStep>(c, shape), ""};
  return {std::make_unique<ConvStep>(c, shape), ""};
}

}  // namespace

std::string refuse_product(const PlanContext& c, size_t weights, size_t bias) {
  if (c.inputs[weights].constant == nullptr || c.inputs[bias].constant == nullptr)
    return "weights that are not constant";
  const DType in = c.inputs[0].dtype, out = c.outputs[0].dtype;
  if (!is_map_type(in) || !is_map_type(out)) return "only floats";
  return in == out || in == DType::kF32 || out == DType::kF32 ? "" : "maps of two 16-bit types";
}

Tensor conv_weights(const PlanContext& c, const A& a, int64_t in_channels) {
  return ops::unpack_conv_weights(*c.inputs[A::kWeights].constant, a.group_channels(in_channels), a.out_channels,
                                  a.window.kernel_height, a.window.kernel_width);
}

Plan plan_conv(const PlanContext& c) {
  const A a = A::of(c.node);
  if (auto refusal = refuse_conv(c, a); !refusal.empty()) return {nullptr, refusal};
  return plan_shape(
      c, {a, ops::dims_of(c.inputs[A::kX].shape, a.layouts.input), ops::dims_of(c.outputs[0].shape, a.layouts.output),
          c.inputs[A::kX].dtype, c.outputs[0].dtype, c.has(A::kResidual), c.has(A::kGate)});
}

Plan plan_matmul(const PlanContext& c) {
  const A a = A::of(ops::as_pointwise_conv(c.node));
  if (auto refusal = refuse_conv(c, a); !refusal.empty()) return {nullptr, refusal};
  return plan_shape(c, {a, ops::dims_of(ops::as_pixels(c.inputs[A::kX].shape), a.layouts.input),
                        ops::dims_of(ops::as_pixels(c.outputs[0].shape), a.layouts.output), c.inputs[A::kX].dtype,
                        c.outputs[0].dtype, c.has(A::kResidual), false});
}

}  // namespace effdet::kernels::cuda
