// Operators that look for elements: the largest, the first ones, those that are not zero.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Whether a stands before b in falling order; NaN is the largest, as numpy has it.
template <typename T>
bool larger(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return (a > b) | ((a != a) & (b == b));  // without branches
  return a > b;
}

/// Position in the input of line `line` along the axis.
int64_t line_start(const AxisView& view, int64_t line) {
  return line / view.inner * view.count * view.inner + line % view.inner;
}

std::vector<Inferred> infer_arg(const InferContext& c) {
  require_number(c);
  const auto axis = axis_of(c, 0);
  if (!axis) return {{DType::kI64, std::nullopt}};
  Shape shape = *c.shape(0);
  if (shape[*axis] == 0) node_error(c.node, "there is no largest of no elements");
  shape[*axis] = 1;
  if (c.node.get_int("keepdims", 1) == 0) shape.erase(shape.begin() + static_cast<int64_t>(*axis));
  return {{DType::kI64, shape}};
}

template <bool kLargest>
void evaluate_arg(const EvalContext& c) {
  const AxisView view = view_around(c.input(0).shape(), axis_of(c, 0));
  const bool take_last = c.node.get_int("select_last_index", 0) != 0;
  const auto out = c.output().mutable_data<int64_t>();
  const DType dtype = c.input(0).dtype();  // the output is int64 whatever the input is: no ArithmeticContext
  const auto search = [&](auto type) {
    using T = decltype(type);
    const Tensor wide = c.input(0).to(dtype_of<T>());
    const T* x = wide.data<T>().data();
    for (size_t line = 0; line < out.size(); ++line) {
      const T* first = x + line_start(view, static_cast<int64_t>(line));
      int64_t best = 0;
      for (int64_t i = 1; i < view.count; ++i) {
        const T a = first[i * view.inner], b = first[best * view.inner];
        const bool better = kLargest ? larger(a, b) : larger(b, a);
        const bool equal = !larger(a, b) && !larger(b, a);
        if (better || (equal && take_last)) best = i;
      }
      out[line] = best;
    }
  };
  if (is_float(dtype)) return search(double{});
  if (dtype == DType::kU64) return search(uint64_t{});
  search(int64_t{});
}

/// k: an attribute before opset 10, an input since.
std::vector<Inferred> infer_top_k(const InferContext& c) {
  require_number(c);
  const auto axis = axis_of(c, -1);
  const auto unknown = [&](std::optional<Shape> shape) {
    return std::vector<Inferred>{{c.dtype(0), shape}, {DType::kI64, shape}};
  };
  if (!axis) return unknown(std::nullopt);
  Shape shape = *c.shape(0);
  int64_t k = c.node.get_int("k", -1);
  if (c.opset >= 10) {
    if (!c.has(1)) node_error(c.node, "has no k");
    const auto list = c.ints(1);
    if (list && list->size() != 1) node_error(c.node, "k has {} values", list->size());
    if (!list) {
      shape[*axis] = -1;
      return unknown(shape);
    }
    k = (*list)[0];
  }
  if (k < 0 || (shape[*axis] >= 0 && k > shape[*axis]))
    node_error(c.node, "the first {} of {} elements", k, shape[*axis]);
  shape[*axis] = k;
  return unknown(shape);
}

/// The k first positions by a strict order of values, the lower of equal ones' positions first, in order: one pass that
/// looks at few positions twice.
template <typename T, typename F>
std::vector<int64_t> first_positions(std::span<const T> values, int64_t k, F&& before) {
  const auto precedes = [&](int64_t i, int64_t j) {
    const T a = values[static_cast<size_t>(i)], b = values[static_cast<size_t>(j)];
    return before(a, b) || (!before(b, a) && i < j);
  };
  const size_t most = std::min(values.size(), static_cast<size_t>(2 * k) + 64);
  std::vector<int64_t> kept;
  kept.reserve(most);
  std::optional<T> worst;  // of the k best so far: what comes later and is no better is none of them
  const auto pass_over = [&](std::span<const T> block) {
    if (!worst) return false;
    const T limit = *worst;
    int better = 0;  // without a way out of the loop, which is one of vectors then
    for (const T value : block) better += before(value, limit) ? 1 : 0;
    return better == 0;
  };
  constexpr size_t kBlock = 32;
  for (size_t start = 0; start < values.size(); start += kBlock) {
    const size_t end = std::min(start + kBlock, values.size());
    if (pass_over(values.subspan(start, end - start))) continue;
    for (size_t i = start; i < end; ++i) {
      if (worst && !before(values[i], *worst)) continue;
      kept.push_back(static_cast<int64_t>(i));
      if (kept.size() < most || i + 1 == values.size()) continue;
      std::ranges::nth_element(kept, kept.begin() + k - 1, precedes);
      kept.resize(static_cast<size_t>(k));
      worst = values[static_cast<size_t>(kept.back())];
    }
  }
  std::ranges::partial_sort(kept, kept.begin() + k, precedes);
  kept.resize(static_cast<size_t>(k));
  return kept;
}

void evaluate_top_k(const EvalContext& c) {
  const size_t axis = axis_of(c, -1);
  const AxisView view = view_around(c.input(0).shape(), axis);
  const bool largest = c.node.get_int("largest", 1) != 0;
  Tensor indices(DType::kI64, c.output(0).shape());
  const int64_t k = indices.dim(axis);
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    const std::span<const T> x = wide.input(0).template data<T>();
    T* values = wide.output(0).template mutable_data<T>().data();
    int64_t* positions = indices.mutable_data<int64_t>().data();
    std::vector<T> copy;
    for (int64_t line = 0; line < view.outer * view.inner && k > 0; ++line) {
      const auto start = static_cast<size_t>(line_start(view, line));
      std::span<const T> along = x.subspan(start, view.inner == 1 ? static_cast<size_t>(view.count) : 0);
      if (view.inner != 1) {
        copy.clear();
        for (int64_t i = 0; i < view.count; ++i) copy.push_back(x[start + static_cast<size_t>(i * view.inner)]);
        along = copy;
      }
      const std::vector<int64_t> order = largest ? first_positions(along, k, [](T a, T b) { return larger(a, b); })
                                                 : first_positions(along, k, [](T a, T b) { return larger(b, a); });
      const int64_t out = line / view.inner * k * view.inner + line % view.inner;
      for (int64_t i = 0; i < k; ++i) {
        const int64_t position = order[static_cast<size_t>(i)];
        values[out + i * view.inner] = along[static_cast<size_t>(position)];
        positions[out + i * view.inner] = position;
      }
    }
  });
  if (c.outputs.size() > 1) c.output(1) = indices;
}

std::vector<bool> not_zero(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kBool);
  return {wide.data<bool>().begin(), wide.data<bool>().end()};
}

std::vector<Inferred> infer_non_zero(const InferContext& c) {
  c.dtype(0);
  const int64_t rank = c.shape(0) ? std::max<int64_t>(1, static_cast<int64_t>(c.shape(0)->size())) : -1;
  // Counting what is known lets constants be folded; what is large is data, and waits.
  constexpr int64_t kSmall = 4096;
  const bool known = c.value(0) != nullptr && c.value(0)->numel() <= kSmall;
  return {{DType::kI64, Shape{rank, known ? std::ranges::count(not_zero(*c.value(0)), true) : -1}}};
}

/// One row a dimension, one column an element that is not zero.
void evaluate_non_zero(const EvalContext& c) {
  const Shape shape = c.input(0).rank() == 0 ? Shape{1} : c.input(0).shape();
  const std::vector<bool> mask = not_zero(c.input(0));
  const int64_t count = std::ranges::count(mask, true);
  Tensor result(DType::kI64, {static_cast<int64_t>(shape.size()), static_cast<int64_t>(count)});
  int64_t* out = result.mutable_data<int64_t>().data();
  const std::vector<int64_t> strides = dense_strides(shape);
  int64_t column = 0;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (!mask[i]) continue;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      out[static_cast<int64_t>(axis) * count + column] = static_cast<int64_t>(i) / strides[axis] % shape[axis];
    ++column;
  }
  c.output() = result;
}

/// Without an axis the input is one long line.
std::vector<Inferred> infer_compress(const InferContext& c) {
  if (c.dtype(1) != DType::kBool) node_error(c.node, "the condition has type {}", dtype_name(c.dtype(1)));
  if (c.shape(1) && c.shape(1)->size() != 1) node_error(c.node, "the condition is no list");
  const Tensor* condition = c.value(1);
  const int64_t chosen = condition != nullptr ? std::ranges::count(condition->data<bool>(), true) : -1;
  if (c.node.find("axis") == nullptr) return {{c.dtype(0), Shape{chosen}}};
  const auto axis = axis_of(c, 0);
  if (!axis) return {{c.dtype(0), std::nullopt}};
  Shape shape = *c.shape(0);
  shape[*axis] = chosen;
  return {{c.dtype(0), shape}};
}

void evaluate_compress(const EvalContext& c) {
  const bool flat = c.node.find("axis") == nullptr;
  const Tensor input = flat ? c.input(0).reshaped({c.input(0).numel()}) : c.input(0);
  const size_t axis = flat ? 0 : axis_of(c, 0);
  const AxisView view = view_around(input.shape(), axis);
  const auto mask = c.input(1).data<bool>();
  if (static_cast<int64_t>(mask.size()) > view.count)
    node_error(c.node, "a condition of {} values for {} elements", mask.size(), view.count);
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) chosen.push_back(static_cast<int64_t>(i));
  Shape shape = input.shape();
  shape[axis] = static_cast<int64_t>(chosen.size());
  c.output() = Tensor(input.dtype(), shape);
  const auto row = static_cast<size_t>(view.inner) * dtype_size(input.dtype());
  std::byte* out = c.output().mutable_bytes().data();
  for (int64_t o = 0; o < view.outer && row > 0; ++o)
    for (int64_t i : chosen) {
      std::memcpy(out, input.bytes().data() + static_cast<size_t>(o * view.count + i) * row, row);
      out += row;
    }
}

std::vector<Inferred> infer_unique(const InferContext& c) {
  require_number(c);
  const Inferred indices{DType::kI64, Shape{-1}};
  if (c.node.find("axis") == nullptr) return {{c.dtype(0), Shape{-1}}, indices, indices, indices};
  const auto axis = axis_of(c, 0);
  if (!axis) return {{c.dtype(0), std::nullopt}, indices, indices, indices};
  Shape shape = *c.shape(0);
  shape[*axis] = -1;
  return {{c.dtype(0), shape}, indices, indices, indices};
}

Tensor list_of(const std::vector<int64_t>& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

/// Different slices along the axis: sorted, or in the order in which they come first.
template <typename T>
void unique(const EvalContext& c, const Tensor& input, size_t axis) {
  const AxisView view = view_around(input.shape(), axis);
  const T* x = input.data<T>().data();
  const auto compare = [&](int64_t i, int64_t j) {  // -1, 0, 1
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t k = 0; k < view.inner; ++k) {
        const T a = x[(o * view.count + i) * view.inner + k], b = x[(o * view.count + j) * view.inner + k];
        if (larger(b, a)) return -1;
        if (larger(a, b)) return 1;
      }
    return 0;
  };
  std::vector<int64_t> order(static_cast<size_t>(view.count)), group(order.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int64_t i, int64_t j) { return compare(i, j) < 0; });
  std::vector<int64_t> first;  // of each group
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare(order[i - 1], order[i]) != 0) first.push_back(order[i]);
    group[static_cast<size_t>(order[i])] = static_cast<int64_t>(first.size()) - 1;
  }
  std::vector<int64_t> rank(first.size()), place(first.size());  // groups in the order of the output, and back
  std::iota(rank.begin(), rank.end(), 0);
  if (c.node.get_int("sorted", 1) == 0)
    std::ranges::sort(rank, {}, [&](int64_t g) { return first[static_cast<size_t>(g)]; });
  for (size_t i = 0; i < rank.size(); ++i) place[static_cast<size_t>(rank[i])] = static_cast<int64_t>(i);
  std::vector<int64_t> indices, inverse, counts(first.size(), 0);
  for (int64_t g : rank) indices.push_back(first[static_cast<size_t>(g)]);
  for (int64_t g : group) {
    inverse.push_back(place[static_cast<size_t>(g)]);
    ++counts[static_cast<size_t>(inverse.back())];
  }
  Shape shape = input.shape();
  shape[axis] = static_cast<int64_t>(indices.size());
  Tensor values(input.dtype(), shape);
  T* y = values.template mutable_data<T>().data();
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i : indices) y = std::copy_n(x + (o * view.count + i) * view.inner, view.inner, y);
  const Tensor results[] = {values, list_of(indices), list_of(inverse), list_of(counts)};
  for (size_t i = 0; i < c.outputs.size(); ++i) c.output(i) = results[i];
}

void evaluate_unique(const EvalContext& c) {
  const bool flat = c.node.find("axis") == nullptr;
  const Tensor input = flat ? c.input(0).reshaped({c.input(0).numel()}) : c.input(0);
  const size_t axis = flat ? 0 : axis_of(c, 0);
  // By way of a type that holds every value; evaluate_node turns the output back.
  if (is_float(input.dtype())) return unique<double>(c, input.to(DType::kF64), axis);
  if (input.dtype() == DType::kU64) return unique<uint64_t>(c, input, axis);
  unique<int64_t>(c, input.to(DType::kI64), axis);
}

/// Values are [off, on]; the new axis stands at `axis` of the output.
std::vector<Inferred> infer_one_hot(const InferContext& c) {
  require_number(c);
  const DType dtype = c.dtype(2);
  if (c.shape(2) && *c.shape(2) != Shape{2}) node_error(c.node, "values of shape {}", shape_text(*c.shape(2)));
  if (!c.shape(0)) return {{dtype, std::nullopt}};
  Shape shape = *c.shape(0);
  const int64_t axis = normalize_axis(c.node, c.node.get_int("axis", -1), static_cast<int64_t>(shape.size()) + 1);
  int64_t depth = -1;
  if (c.value(1) != nullptr) {
    const double value = scalar_value(c.node, *c.value(1), "depth");
    if (!(value >= 0 && value <= static_cast<double>(kMaxElements))) node_error(c.node, "depth is {}", value);
    depth = static_cast<int64_t>(value);
  }
  shape.insert(shape.begin() + axis, depth);
  return {{dtype, shape}};
}

void evaluate_one_hot(const EvalContext& c) {
  const auto axis =
      static_cast<size_t>(normalize_axis(c.node, c.node.get_int("axis", -1), static_cast<int64_t>(c.output().rank())));
  const AxisView view = view_around(c.output().shape(), axis);
  const Tensor indices = c.input(0).to(DType::kI64);
  const size_t size = dtype_size(c.output().dtype());
  const std::byte* values = c.input(2).bytes().data();
  std::byte* out = c.output().mutable_bytes().data();
  for (int64_t i = 0; i < c.output().numel(); ++i) {
    const int64_t o = i / (view.count * view.inner), position = i / view.inner % view.count, inner = i % view.inner;
    int64_t index = indices.data<int64_t>()[static_cast<size_t>(o * view.inner + inner)];
    if (index < 0) index += view.count;  // outside of [-depth, depth) nothing is on
    std::memcpy(out + static_cast<size_t>(i) * size, values + (index == position ? size : 0), size);
  }
}

}  // namespace

std::span<const Operator> select_operators() {
  static constexpr Card kUnique{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "ArgMax", 1, 1, infer_arg, evaluate_arg<true>, kMixes},
      {"", "ArgMin", 1, 1, infer_arg, evaluate_arg<false>, kMixes},
      {"", "TopK", 1, 2, infer_top_k, evaluate_top_k, kMixes, 1, 2},
      {"", "NonZero", 1, 1, infer_non_zero, evaluate_non_zero, kMixes, 9},
      {"", "Compress", 2, 2, infer_compress, evaluate_compress, kMixes, 9},
      {"", "Unique", 1, 1, infer_unique, evaluate_unique, kUnique, 11, 4},
      {"", "OneHot", 3, 3, infer_one_hot, evaluate_one_hot, kMixes, 9},
  };
  return kOperators;
}

}  // namespace effdet::ops
