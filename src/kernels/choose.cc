// The choice of an implementation for a step.
#include "base/error.h"
#include "kernels/device.h"

namespace effdet::kernels {

Choice choose(const Device& device, const PlanContext& context, bool reference_only) {
  Choice choice;
  for (const Implementation& candidate : device.implementations()) {
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
