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
    {ir::kFusedDomain, "Activation", "cpu:activation", cpu::plan_activation},
    {"", "Cast", "cpu:cast", cpu::plan_cast},
    {"", "Transpose", "cpu:transpose", cpu::plan_transpose},
    {"", "Concat", "cpu:concat", cpu::plan_concat},
    {"", "Split", "cpu:split", cpu::plan_split},
    {"", "Resize", "cpu:resize", cpu::plan_resize},
    {"", "GlobalAveragePool", "cpu:channel_means", cpu::plan_channel_means},
    {"", "ReduceMean", "cpu:channel_means", cpu::plan_channel_means},
    {"", "Mul", "cpu:channel_scale", cpu::plan_channel_scale},
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
