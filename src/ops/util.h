// Small things that many operators share: axes, broadcasting, element types.
#pragma once

#include <type_traits>

#include "ops/op.h"

namespace effdet::ops {

/// An axis in [-rank, rank) as one in [0, rank); kBadInput otherwise.
int64_t normalize_axis(const ir::Node& node, int64_t axis, int64_t rank);
/// Sorted, normalized axes; kBadInput for one that appears twice.
std::vector<int64_t> normalize_axes(const ir::Node& node, std::vector<int64_t> axes, int64_t rank);

/// numpy's broadcasting of two shapes (either may be unknown); kBadInput where they do not fit.
std::optional<Shape> broadcast(const ir::Node& node, const std::optional<Shape>& a, const std::optional<Shape>& b);

/// Product of the dimensions [begin, end) of a tensor's shape.
int64_t dims_product(const Shape& shape, size_t begin, size_t end);
/// Whether every dimension is known.
bool is_known(const Shape& shape);

/// The dimensions that a Shape node asks for (opset 15: start and end), clamped as numpy's slices are.
std::pair<size_t, size_t> shape_range(const ir::Node& node, size_t rank);

/// The rank of input i where it is known, after checking that it is at least `minimum`.
std::optional<size_t> known_rank(const InferContext& c, size_t i, size_t minimum);

/// kBadInput unless the inputs that are present all have input 0's type.
void require_same_types(const InferContext& c, size_t count);
/// kBadInput where input 0 is bool, which has no arithmetic.
void require_number(const InferContext& c);
/// kBadInput unless input i has an integer type.
void require_integer(const InferContext& c, size_t i = 0);
/// kBadInput unless input i, which holds indices, is int64 or int32.
void require_index(const InferContext& c, size_t i);
/// kUnsupported unless input i is a floating-point number; for fused operators unless it is float32 or float64.
void require_float(const InferContext& c, size_t i = 0);

/// A tensor seen around one axis.
struct AxisView {
  int64_t outer, count, inner;
};
AxisView view_around(const Shape& shape, size_t axis);
/// The attribute `axis`, normalized for input 0; nothing where its rank is unknown.
std::optional<size_t> axis_of(const InferContext& c, int64_t otherwise);
size_t axis_of(const EvalContext& c, int64_t otherwise);

/// What inference would see of a kernel's inputs: for functions that serve both.
std::vector<InputInfo> input_infos(const EvalContext& c);
/// The one element of a tensor of any type; kBadInput ("what of shape ... is no scalar") for more or none.
double scalar_value(const ir::Node& node, const Tensor& tensor, std::string_view what);

/// The output has input 0's type and shape.
std::vector<Inferred> infer_like_input(const InferContext& c);
/// infer_like_input for floating point operators.
std::vector<Inferred> infer_like_float(const InferContext& c);

/// The inputs and outputs of a node in the type that its arithmetic is done in: floats and 64-bit integers in their
/// own, bool and narrower integers in int64. So an arithmetic kernel is compiled for four types and not for eleven.
class ArithmeticContext {
 public:
  explicit ArithmeticContext(const EvalContext& c);
  const EvalContext& context() const { return context_; }
  /// float32, float64, int64 or uint64; kUnsupported for a node on 16-bit floats.
  DType type() const { return type_; }
  /// Cuts the outputs off to their own types: integers wrap, as numpy's do.
  void finish();

 private:
  const EvalContext& original_;
  DType type_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<const Tensor*> input_pointers_;
  EvalContext context_;
};

/// Calls f(context, value of its C++ type) for ArithmeticContext's four types. Outputs have input 0's type, or are
/// bool and left alone.
template <typename F>
void with_arithmetic_type(const EvalContext& c, F&& f) {
  ArithmeticContext wide(c);
  if (wide.type() == DType::kF32) {
    f(wide.context(), float{});
  } else if (wide.type() == DType::kF64) {
    f(wide.context(), double{});
  } else if (wide.type() == DType::kI64) {
    f(wide.context(), int64_t{});
  } else {
    f(wide.context(), uint64_t{});
  }
  wide.finish();
}

/// with_arithmetic_type for operators on integers: int64 and uint64.
template <typename F>
void with_integer_type(const EvalContext& c, F&& f) {
  ArithmeticContext wide(c);
  if (wide.type() == DType::kU64) {
    f(wide.context(), uint64_t{});
  } else {
    f(wide.context(), int64_t{});
  }
  wide.finish();
}

/// Calls f with float{} or double{}; kUnsupported for other types.
template <typename F>
void with_float_type(const ir::Node& node, DType dtype, F&& f) {
  if (dtype == DType::kF32) return f(float{});
  if (dtype == DType::kF64) return f(double{});
  fail(ErrorCode::kUnsupported, "{}: type {} is not supported", node_label(node), dtype_name(dtype));
}

/// a op b in the unsigned type, so that integer overflow in a hostile graph wraps as in numpy instead of being
/// undefined.
template <typename T, typename F>
T wrapping(T a, T b, F op) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    using Wide = std::common_type_t<std::make_unsigned_t<T>, unsigned>;  // small types would promote to signed int
    return static_cast<T>(op(static_cast<Wide>(a), static_cast<Wide>(b)));
  } else {
    return static_cast<T>(op(a, b));
  }
}

/// Runs task(i) for i in [0, count), on the pool where there is one.
template <typename F>
void for_each_index(ThreadPool* threads, int64_t count, F&& task) {
  if (threads != nullptr) {
    threads->parallel_for(count, [&](int64_t i, int) { task(i); });
  } else {
    for (int64_t i = 0; i < count; ++i) task(i);
  }
}

}  // namespace effdet::ops
