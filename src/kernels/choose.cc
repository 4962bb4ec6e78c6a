// The choice of an implementation for a step.
#include <algorithm>

#include "base/error.h"
#include "kernels/device.h"

namespace effdet::kernels {
namespace {

/// Whether a fused operator works on maps of a type that the device does not compute in: its kernels may take them for
/// others. No compiler makes such a program, but a file may hold it.
bool has_foreign_maps(const Device& device, const PlanContext& context) {
  const auto is_foreign = [&](const ValueInfo& value) {
    const bool is_half = value.dtype == DType::kF16 || value.dtype == DType::kBF16;
    return value.present && is_half && !device.target().computes_in(value.dtype);
  };
  return context.node.domain == ir::kFusedDomain &&
         (std::ranges::any_of(context.inputs, is_foreign) || std::ranges::any_of(context.outputs, is_foreign));
}

}  // namespace

Choice choose(const Device& device, const PlanContext& context, bool reference_only) {
  Choice choice;
  const bool foreign = has_foreign_maps(device, context);
  for (const Implementation& candidate : device.implementations()) {
    const bool any = candidate.type == "*";
    if (!any && (reference_only || candidate.domain != context.node.domain || candidate.type != context.node.op))
      continue;
    if (foreign && !any) {
      choice.refusals.push_back(fmt::format("{}: maps of a type that the device does not compute in", candidate.name));
      continue;
    }
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
