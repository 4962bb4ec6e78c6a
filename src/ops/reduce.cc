// Reductions over axes.
#include "ops/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Whether `axes` is an input: ReduceSum's since opset 13, the others' since 18.
bool axes_are_input(const ir::Node& node, int64_t opset) { return opset >= (node.op == "ReduceSum" ? 13 : 18); }

/// Axes to reduce, sorted; nothing where an input that gives them is not known yet.
std::optional<std::vector<int64_t>> axes_of(const InferContext& c, size_t rank) {
  std::optional<std::vector<int64_t>> axes = std::vector<int64_t>{};
  if (axes_are_input(c.node, c.opset)) {
    if (c.has(1)) axes = c.ints(1);
  } else {
    if (c.has(1)) node_error(c.node, "takes its axes as an attribute in opset {}", c.opset);
    axes = c.node.get_ints("axes", {});
  }
  if (!axes) return axes;
  if (axes->empty() && c.node.get_int("noop_with_empty_axes", 0) == 0)
    for (size_t i = 0; i < rank; ++i) axes->push_back(static_cast<int64_t>(i));
  return normalize_axes(c.node, *axes, static_cast<int64_t>(rank));
}

Shape kept_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keep) {
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!std::ranges::binary_search(axes, static_cast<int64_t>(i))) {
      result.push_back(shape[i]);
    } else if (keep) {
      result.push_back(1);
    }
  }
  return result;
}

std::vector<Inferred> infer_reduce(const InferContext& c) {
  const bool takes_bool = c.opset >= 20 && (c.node.op == "ReduceMax" || c.node.op == "ReduceMin");
  if (!takes_bool) require_number(c);
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  const auto axes = axes_of(c, c.shape(0)->size());
  const bool keep = c.node.get_int("keepdims", 1) != 0;
  if (!axes) return {{c.dtype(0), keep ? std::optional(Shape(c.shape(0)->size(), -1)) : std::nullopt}};
  return {{c.dtype(0), kept_shape(*c.shape(0), *axes, keep)}};
}

/// Floats are summed in double precision.
template <typename T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, T>;

/// Where each input element goes: strides over the input (a) and over the output (b, 0 on reduced axes).
StridedLoop reduction_loop(const EvalContext& c) {
  const std::vector<InputInfo> infos = input_infos(c);
  const Shape& shape = c.input(0).shape();
  const auto axes = axes_of({c.node, c.opset, infos}, shape.size()).value();
  const Shape kept = kept_shape(shape, axes, true);
  return merge_loop(shape, dense_strides(shape), broadcast_strides(kept, shape));
}

template <typename T, typename F>
std::vector<Accumulator<T>> fold(const EvalContext& c, Accumulator<T> start, F f) {
  std::vector<Accumulator<T>> results(static_cast<size_t>(c.output().numel()), start);
  const T* x = c.input(0).data<T>().data();
  const StridedLoop loop = reduction_loop(c);
  const int64_t count = loop.shape.back(), step_in = loop.a.back(), step_out = loop.b.back();
  if (c.input(0).numel() == 0) return results;
  for_each_row(loop, [&](int64_t in, int64_t out, int64_t) {
    for (int64_t i = 0; i < count; ++i) {
      auto& result = results[static_cast<size_t>(out + i * step_out)];
      result = f(result, static_cast<Accumulator<T>>(x[in + i * step_in]));
    }
  });
  return results;
}

constexpr auto kSum = [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x + y; }); };
constexpr auto kProduct = [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x * y; }); };
constexpr auto kSmaller = [](auto a, auto b) { return b < a || b != b ? b : a; };
constexpr auto kLarger = [](auto a, auto b) { return a < b || b != b ? b : a; };

enum class Start { kZero, kOne, kLowest, kHighest };

template <typename A>
A start_value(Start start) {
  using Limits = std::numeric_limits<A>;
  switch (start) {
    case Start::kZero:
      return A(0);
    case Start::kOne:
      return A(1);
    case Start::kLowest:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case Start::kHighest:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }
  return A(0);
}

constexpr auto kSame = [](auto x) { return x; };
constexpr auto kMagnitude = [](auto x) {
  return x < decltype(x)(0) ? wrapping(decltype(x)(0), x, [](auto a, auto b) { return a - b; }) : x;
};
constexpr auto kSquare = [](auto x) { return kProduct(x, x); };
/// Whole numbers are cut off, as numpy's are when a float result is cast back.
constexpr auto kRoot = [](auto x) { return saturating_cast<decltype(x)>(std::sqrt(static_cast<double>(x))); };
constexpr auto kLogarithm = [](auto x) { return saturating_cast<decltype(x)>(std::log(static_cast<double>(x))); };

/// What a reduction is made of: each element's part, how parts add up and from where, and what is done at the end.
template <auto kMap, auto kFold, Start kStart, auto kFinish = kSame, bool kMean = false>
void evaluate_reduce(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    using A = Accumulator<T>;
    const auto results = fold<T>(wide, start_value<A>(kStart), [](A sum, A x) { return A(kFold(sum, A(kMap(x)))); });
    const auto out = wide.output().template mutable_data<T>();
    const int64_t folded = out.empty() ? 1 : std::max<int64_t>(1, wide.input(0).numel() / wide.output().numel());
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(kFinish(kMean ? results[i] / static_cast<A>(folded) : results[i]));
  });
}

/// ReduceMax and ReduceMin on bools, which are the numbers 0 and 1.
template <void (*kEvaluate)(const EvalContext&)>
void evaluate_bools_too(const EvalContext& c) {
  if (c.input(0).dtype() != DType::kBool) return kEvaluate(c);
  const Tensor input = c.input(0).to(DType::kU8);
  std::vector<const Tensor*> inputs(c.inputs.begin(), c.inputs.end());
  inputs[0] = &input;
  Tensor output(DType::kU8, c.output().shape());
  kEvaluate({c.node, c.opset, inputs, {&output, 1}, c.threads});
  c.output() = output.to(DType::kBool);
}

/// log(sum(exp(x))), around the largest x so that nothing overflows.
void evaluate_log_sum_exp(const EvalContext& c) {
  with_arithmetic_type(c, [](const EvalContext& wide, auto type) {
    using T = decltype(type);
    const auto largest = fold<T>(wide, start_value<Accumulator<T>>(Start::kLowest), kLarger);
    std::vector<double> sums(largest.size(), 0);
    const T* x = wide.input(0).template data<T>().data();
    const StridedLoop loop = reduction_loop(wide);
    const int64_t count = loop.shape.back(), step_in = loop.a.back(), step_out = loop.b.back();
    if (wide.input(0).numel() > 0)
      for_each_row(loop, [&](int64_t in, int64_t out, int64_t) {
        for (int64_t i = 0; i < count; ++i) {
          const auto o = static_cast<size_t>(out + i * step_out);
          const double top = static_cast<double>(largest[o]);
          sums[o] += std::exp(static_cast<double>(x[in + i * step_in]) - (std::isinf(top) ? 0 : top));
        }
      });
    const auto result = wide.output().template mutable_data<T>();
    for (size_t i = 0; i < result.size(); ++i) {
      const double top = static_cast<double>(largest[i]);
      result[i] = saturating_cast<T>(sums[i] == 0 ? std::log(0.0) : std::log(sums[i]) + (std::isinf(top) ? 0 : top));
    }
  });
}

constexpr auto evaluate_max = evaluate_reduce<kSame, kLarger, Start::kLowest>;
constexpr auto evaluate_min = evaluate_reduce<kSame, kSmaller, Start::kHighest>;

}  // namespace

std::optional<AxisView> reduction_view(const InferContext& c) {
  const Shape& shape = *c.shape(0);
  std::optional<std::vector<int64_t>> axes;
  if (c.node.op.starts_with("Global")) {
    axes.emplace();
    for (size_t i = 2; i < shape.size(); ++i) axes->push_back(static_cast<int64_t>(i));
  } else {
    axes = axes_of(c, shape.size());
  }
  if (!axes) return std::nullopt;
  AxisView view{1, 1, 1};
  bool ended = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const bool folds = std::ranges::binary_search(*axes, static_cast<int64_t>(i));
    if (folds && ended) return std::nullopt;
    ended = ended || (!folds && view.count > 1);
    (folds ? view.count : ended ? view.inner : view.outer) *= shape[i];
  }
  return view;
}

namespace {

/// The first dimension is still there: where it is still the batch, that is not what was reduced.
bool keeps_dimensions(const ir::Node& node) { return node.get_int("keepdims", 1) == 1; }

}  // namespace

std::span<const Operator> reduce_operators() {
  static constexpr Card kMapReduction{
      .batch = Batch::kByImage, .keeps_batch = keeps_dimensions, .layout = LayoutRule::kFollows};
  static constexpr Card kReduction{.batch = Batch::kByImage, .keeps_batch = keeps_dimensions};
  static constexpr Operator kOperators[] = {
      {"", "ReduceSum", 1, 2, infer_reduce, evaluate_reduce<kSame, kSum, Start::kZero>, kMapReduction},
      {"", "ReduceMean", 1, 2, infer_reduce, evaluate_reduce<kSame, kSum, Start::kZero, kSame, true>, kMapReduction},
      {"", "ReduceMax", 1, 2, infer_reduce, evaluate_bools_too<evaluate_max>, kMapReduction},
      {"", "ReduceMin", 1, 2, infer_reduce, evaluate_bools_too<evaluate_min>, kMapReduction},
      {"", "ReduceProd", 1, 2, infer_reduce, evaluate_reduce<kSame, kProduct, Start::kOne>, kReduction},
      {"", "ReduceL1", 1, 2, infer_reduce, evaluate_reduce<kMagnitude, kSum, Start::kZero>, kReduction},
      {"", "ReduceL2", 1, 2, infer_reduce, evaluate_reduce<kSquare, kSum, Start::kZero, kRoot>, kReduction},
      {"", "ReduceSumSquare", 1, 2, infer_reduce, evaluate_reduce<kSquare, kSum, Start::kZero>, kReduction},
      {"", "ReduceLogSum", 1, 2, infer_reduce, evaluate_reduce<kSame, kSum, Start::kZero, kLogarithm>, kReduction},
      {"", "ReduceLogSumExp", 1, 2, infer_reduce, evaluate_log_sum_exp, kReduction},
  };
  return kOperators;
}

}  // namespace effdet::ops
