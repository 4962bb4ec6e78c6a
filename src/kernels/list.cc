// The ordered list of implementations of every operator: the place to add one.
#include "base/error.h"
#include "kernels/cpu/cpu.h"
#include "kernels/kernel.h"
#include "kernels/ref/reference.h"

namespace effdet::kernels {
namespace {

constexpr Implementation kImplementations[] = {
    {ir::kFusedDomain, "Aipp", "cpu:aipp", cpu::plan_aipp},
    {ir::kFusedDomain, "Conv", "cpu:winograd", cpu::plan_winograd},
    {ir::kFusedDomain, "Conv", "cpu:gemm", cpu::plan_conv},
    {ir::kFusedDomain, "DepthwiseConv", "cpu:depthwise", cpu::plan_depthwise},
    {ir::kFusedDomain, "DepthwisePointwise", "cpu:depthwise_pointwise", cpu::plan_depthwise_pointwise},
    {ir::kFusedDomain, "ExpandDepthwise", "cpu:expand_depthwise", cpu::plan_expand_depthwise},
    {ir::kFusedDomain, "SqueezeExcite", "cpu:squeeze_excite", cpu::plan_squeeze_excite},
    {ir::kFusedDomain, "Mix", "cpu:mix", cpu::plan_mix},
    {ir::kFusedDomain, "MaxPool", "cpu:max_pool", cpu::plan_max_pool},
    {ir::kFusedDomain, "AveragePool", "cpu:average_pool", cpu::plan_average_pool},
    {ir::kFusedDomain, "ConvTranspose", "cpu:conv_transpose", cpu::plan_conv_transpose},
    {ir::kFusedDomain, "Activation", "cpu:activation", cpu::plan_activation},
    {ir::kFusedDomain, "Elementwise", "cpu:elementwise", cpu::plan_elementwise},
    {ir::kFusedDomain, "MatMul", "cpu:gemm", cpu::plan_fused_matmul},
    {"", "MatMul", "cpu:matmul", cpu::plan_matmul},
    {"", "LSTM", "cpu:lstm", cpu::plan_lstm},
    {"", "Cast", "cpu:cast", cpu::plan_cast},
    {"", "Transpose", "cpu:transpose", cpu::plan_transpose},
    {"", "DepthToSpace", "cpu:transpose", cpu::plan_depth_to_space},
    {"", "SpaceToDepth", "cpu:transpose", cpu::plan_space_to_depth},
    {"", "Gather", "cpu:gather", cpu::plan_gather},
    {"", "LayerNormalization", "cpu:layer_norm", cpu::plan_layer_norm},
    {"", "Slice", "cpu:slice", cpu::plan_slice},
    {"", "Expand", "cpu:expand", cpu::plan_expand},
    {"", "Identity", "cpu:copy", cpu::plan_copy},
    {"", "Dropout", "cpu:copy", cpu::plan_copy},
    {"", "Reshape", "cpu:copy", cpu::plan_copy},
    {"", "Flatten", "cpu:copy", cpu::plan_copy},
    {"", "Squeeze", "cpu:copy", cpu::plan_copy},
    {"", "Unsqueeze", "cpu:copy", cpu::plan_copy},
    {"", "Softmax", "cpu:softmax", cpu::plan_softmax},
    {"", "GlobalAveragePool", "cpu:reduce", cpu::plan_reduce},
    {"", "GlobalMaxPool", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceMean", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceSum", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceMax", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceMin", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceSumSquare", "cpu:reduce", cpu::plan_reduce},
    {"", "ReduceL2", "cpu:reduce", cpu::plan_reduce},
    {"", "Concat", "cpu:concat", cpu::plan_concat},
    {"", "Split", "cpu:split", cpu::plan_split},
    {"", "Resize", "cpu:resize", cpu::plan_resize},
    {"*", "*", "reference", plan_reference},
};

}  // namespace

std::span<const Implementation> implementations() { return kImplementations; }

Choice choose(const PlanContext& context, bool reference_only) {
  Choice choice;
  for (const Implementation& candidate : implementations()) {
    const bool any = candidate.type == "*";
    if (!any && (reference_only || candidate.domain != context.node.domain || candidate.type != context.node.op))
      continue;
    Plan plan = candidate.plan(context);
    if (plan.kernel) {
      choice.implementation = candidate.name;
      choice.kernel = std::move(plan.kernel);
      return choice;
    }
    choice.refusals.push_back(fmt::format("{}: {}", candidate.name, plan.refusal));
  }
  fail(ErrorCode::kUnsupported, "node '{}' ({}): no implementation runs it ({})", context.node.name, context.node.op,
       fmt::join(choice.refusals, "; "));
}

}  // namespace effdet::kernels
