// Gather: rows by their numbers.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/cpu/cpu.h"
#include "ops/util.h"

namespace effdet::kernels::cpu {
namespace {

// Bytes of a task.
constexpr int64_t kGatherTaskBytes = 32 << 10;

template <typename Index>
class Gather : public Kernel {
 public:
  Gather(const PlanContext& c, const ops::AxisView& view)
      : label_(ops::node_label(c.node)),
        view_(view),
        row_(view.inner * static_cast<int64_t>(dtype_size(c.inputs[0].dtype))),
        indices_(ops::dims_product(c.inputs[1].shape, 0, c.inputs[1].shape.size())) {}

  void run(const RunContext& context) const override {
    const int64_t rows = view_.outer * indices_,
                  step = std::max<int64_t>(1, kGatherTaskBytes / std::max<int64_t>(1, row_));
    context.threads.parallel_for((rows + step - 1) / step, [&](int64_t task, int) {
      for (int64_t row = task * step; row < std::min(rows, (task + 1) * step); ++row)
        std::memcpy(context.outputs[0] + row * row_,
                    context.inputs[0] + (row / indices_ * view_.count + place(context, row % indices_)) * row_,
                    static_cast<size_t>(row_));
    });
  }

 private:
  int64_t place(const RunContext& context, int64_t i) const {
    const int64_t index = context.input<Index>(1)[i];
    if (index < -view_.count || index >= view_.count)
      bad_input("{}: index {} is out of range for {} elements", label_, index, view_.count);
    return index < 0 ? index + view_.count : index;
  }

  std::string label_;
  ops::AxisView view_;  // of the input
  int64_t row_;         // bytes
  int64_t indices_;
};

}  // namespace

Plan plan_gather(const PlanContext& c) {
  const Shape& x = c.inputs[0].shape;
  const int64_t axis = ops::normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(x.size()));
  const ops::AxisView view = ops::view_around(x, static_cast<size_t>(axis));
  if (std::ranges::find(c.outputs[0].shape, 0) != c.outputs[0].shape.end()) return {nullptr, "no values"};
  if (c.inputs[1].dtype == DType::kI64) return {std::make_unique<Gather<int64_t>>(c, view), ""};
  return {std::make_unique<Gather<int32_t>>(c, view), ""};
}

}  // namespace effdet::kernels::cpu
