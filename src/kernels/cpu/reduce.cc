// Sums, means, norms, maxima and minima over neighbouring axes. Long sums are cut into parts by the shape alone, so
// that errors stay small and bits do not depend on the threads.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/reduce.h"

namespace effdet::kernels::cpu {
namespace {

// Values of a task, and of a part: of a line, and in rows.
constexpr int64_t kFoldTaskValues = 1 << 13, kPartValues = 1 << 10, kPartRows = 128;
// Columns of a part.
constexpr int64_t kPartColumns = 1 << 12;

struct Kind {
  std::string_view op;
  Fold fold;
  bool is_mean = false, is_root = false;
};
constexpr Kind kKinds[] = {{"ReduceSum", Fold::kSum},
                           {"ReduceMean", Fold::kSum, true},
                           {"GlobalAveragePool", Fold::kSum, true},
                           {"ReduceMax", Fold::kMax},
                           {"GlobalMaxPool", Fold::kMax},
                           {"ReduceMin", Fold::kMin},
                           {"ReduceSumSquare", Fold::kSquares},
                           {"ReduceL2", Fold::kSquares, false, true}};

/// x [outer][count][inner] becomes y [outer][inner].
class Reduce : public Kernel {
 public:
  Reduce(const ops::AxisView& view, const Kind& kind)
      : micro_(micro_kernels()),
        view_(view),
        kind_(kind),
        part_(view.inner == 1 ? kPartValues : kPartRows),
        parts_((view.count + part_ - 1) / part_),
        column_parts_((view.inner + kPartColumns - 1) / kPartColumns) {}

  size_t scratch_bytes(int) const override {
    return parts_ == 1 ? 0 : static_cast<size_t>(view_.outer * parts_ * view_.inner) * sizeof(float);
  }

  void run(const RunContext& context) const override {
    float* folded = parts_ == 1 ? context.output() : context.scratch_floats();
    const int64_t values = std::min(part_, view_.count) * std::min(view_.inner, kPartColumns);
    const int64_t units = view_.outer * parts_ * column_parts_, step = std::max<int64_t>(1, kFoldTaskValues / values);
    context.threads.parallel_for((units + step - 1) / step, [&](int64_t task, int) {
      for (int64_t unit = task * step; unit < std::min(units, (task + 1) * step); ++unit)
        fold_part(context.input(0), unit / column_parts_, unit % column_parts_ * kPartColumns, folded);
    });
    if (parts_ == 1) {
      float* y = context.output();
      std::transform(y, y + view_.outer * view_.inner, y, [this](float value) { return finished(value); });
      return;
    }
    context.threads.parallel_for(view_.outer, [&](int64_t outer, int) { join(folded, outer, context.output()); });
  }

 private:
  /// Part index / parts_ of the outer dimension, columns from `column` on.
  void fold_part(const float* x, int64_t index, int64_t column, float* folded) const {
    const int64_t outer = index / parts_, first = index % parts_ * part_, rows = std::min(part_, view_.count - first);
    x += (outer * view_.count + first) * view_.inner;
    float* y = folded + index * view_.inner;
    if (view_.inner == 1) {
      *y = micro_.fold_line(x, rows, kind_.fold);
      return;
    }
    const int64_t columns = std::min(kPartColumns, view_.inner - column);
    std::fill_n(y + column, columns, start());
    micro_.f32.fold_rows(x + column, rows, view_.inner, columns, y + column, kind_.fold);
  }

  float start() const { return kind_.fold == Fold::kMax ? -INFINITY : kind_.fold == Fold::kMin ? INFINITY : 0.0f; }

  /// The parts of one outer index, in order; sums in double precision.
  void join(const float* folded, int64_t outer, float* output) const {
    const float* parts = folded + outer * parts_ * view_.inner;
    for (int64_t i = 0; i < view_.inner; ++i) {
      double result = parts[i];
      for (int64_t part = 1; part < parts_; ++part) {
        const double value = parts[part * view_.inner + i];
        if (kind_.fold == Fold::kSum || kind_.fold == Fold::kSquares) {
          result += value;
        } else if ((kind_.fold == Fold::kMax ? result < value : value < result) || std::isnan(value)) {
          result = value;
        }
      }
      output[outer * view_.inner + i] = finished(result);
    }
  }

  float finished(double folded) const {
    if (kind_.is_mean) folded /= static_cast<double>(view_.count);
    return static_cast<float>(kind_.is_root ? std::sqrt(folded) : folded);
  }

  const MicroKernels& micro_;
  ops::AxisView view_;
  Kind kind_;
  int64_t part_, parts_, column_parts_;
};

}  // namespace

Plan plan_reduce(const PlanContext& c) {
  if (c.inputs[0].dtype != DType::kF32) return {nullptr, "only float32"};
  std::vector<ops::InputInfo> infos;
  for (const ValueInfo& input : c.inputs) infos.push_back({input.present, input.dtype, input.shape, input.constant});
  const auto view = ops::reduction_view({c.node, c.opset, infos});
  if (!view) return {nullptr, "only axes beside each other"};
  if (view->outer == 0 || view->count == 0 || view->inner == 0) return {nullptr, "no values"};
  return {std::make_unique<Reduce>(*view, *std::ranges::find(kKinds, c.node.op, &Kind::op)), ""};
}

}  // namespace effdet::kernels::cpu
