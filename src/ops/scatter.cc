// Reading and writing elements at positions that another input gives.
#include <algorithm>
#include <cstring>

#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// An index in [-size, size) as one in [0, size).
int64_t checked_index(const ir::Node& node, int64_t index, int64_t size) {
  if (index < -size || index >= size) node_error(node, "index {} is out of range for {} elements", index, size);
  return index < 0 ? index + size : index;
}

/// Input positions that an elementwise index tensor names: its own position, with the axis's coordinate replaced.
std::vector<int64_t> element_positions(const EvalContext& c, const Tensor& indices, size_t axis) {
  const Shape& data = c.input(0).shape();
  const std::vector<int64_t> into = dense_strides(data);
  std::vector<int64_t> other_axes = into;
  other_axes[axis] = 0;
  const Tensor wide = indices.to(DType::kI64);
  const auto index = wide.data<int64_t>();
  std::vector<int64_t> positions(index.size());
  const StridedLoop loop = merge_loop(indices.shape(), other_axes, dense_strides(indices.shape()));
  for_each_row(loop, [&](int64_t base, int64_t, int64_t first) {
    for (int64_t i = first; i < first + loop.shape.back(); ++i, base += loop.a.back())
      positions[static_cast<size_t>(i)] =
          base + checked_index(c.node, index[static_cast<size_t>(i)], data[axis]) * into[axis];
  });
  return positions;
}

/// The indices have the data's rank, and no dimension but the axis's is larger than the data's.
void check_elements(const InferContext& c, size_t axis) {
  require_index(c, 1);
  if (!c.shape(0) || !c.shape(1)) return;
  const Shape &data = *c.shape(0), &indices = *c.shape(1);
  bool fits = data.size() == indices.size();
  for (size_t d = 0; fits && d < data.size(); ++d) fits = d == axis || data[d] < 0 || indices[d] <= data[d];
  if (!fits) node_error(c.node, "indices of shape {} into {}", shape_text(indices), shape_text(data));
}

std::vector<Inferred> infer_gather_elements(const InferContext& c) {
  if (const auto axis = axis_of(c, 0)) check_elements(c, *axis);
  return {{c.dtype(0), c.shape(1)}};
}

void evaluate_gather_elements(const EvalContext& c) {
  const std::vector<int64_t> positions = element_positions(c, c.input(1), axis_of(c, 0));
  const size_t size = dtype_size(c.input(0).dtype());
  std::byte* out = c.output().mutable_bytes().data();
  for (size_t i = 0; i < positions.size(); ++i)
    std::memcpy(out + i * size, c.input(0).bytes().data() + static_cast<size_t>(positions[i]) * size, size);
}

/// Where rows begin that an index tensor [..., k] names, below `batch_dims` dimensions that both share.
struct RowPositions {
  std::vector<int64_t> starts;
  int64_t row = 1;  ///< elements of each
};

RowPositions row_positions(const EvalContext& c, const Tensor& indices, size_t batch_dims) {
  const Shape& data = c.input(0).shape();
  const auto k = static_cast<size_t>(indices.shape().back());
  const std::vector<int64_t> strides = dense_strides(data);
  RowPositions rows{{}, dims_product(data, batch_dims + k, data.size())};
  const Tensor wide = indices.to(DType::kI64);
  const auto index = wide.data<int64_t>();
  const int64_t count = dims_product(indices.shape(), 0, indices.rank() - 1);
  const int64_t batches = dims_product(data, 0, batch_dims), batch = dims_product(data, batch_dims, data.size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t start = i / (count / batches) * batch;
    for (size_t d = 0; d < k; ++d)
      start +=
          checked_index(c.node, index[static_cast<size_t>(i) * k + d], data[batch_dims + d]) * strides[batch_dims + d];
    rows.starts.push_back(start);
  }
  return rows;
}

/// Length of the index tuples, where it is known; checked against the rank.
std::optional<int64_t> tuple_length(const InferContext& c, int64_t batch_dims) {
  require_index(c, 1);
  if (!c.shape(0) || !c.shape(1)) return std::nullopt;
  const auto rank = static_cast<int64_t>(c.shape(0)->size()), index_rank = static_cast<int64_t>(c.shape(1)->size());
  if (batch_dims < 0 || batch_dims >= std::min(rank, index_rank) || index_rank < 1)
    node_error(c.node, "batch_dims is {} for shapes {} and {}", batch_dims, shape_text(*c.shape(0)),
               shape_text(*c.shape(1)));
  for (int64_t d = 0; d < batch_dims; ++d) {
    const int64_t a = c.shape(0)->at(static_cast<size_t>(d)), b = c.shape(1)->at(static_cast<size_t>(d));
    if (a >= 0 && b >= 0 && a != b)
      node_error(c.node, "shapes {} and {} differ in their first {} dimensions", shape_text(*c.shape(0)),
                 shape_text(*c.shape(1)), batch_dims);
  }
  const int64_t k = c.shape(1)->back();
  if (k < 0) return std::nullopt;
  if (k < 1 || k > rank - batch_dims)
    node_error(c.node, "indices of shape {} into {}", shape_text(*c.shape(1)), shape_text(*c.shape(0)));
  return k;
}

std::vector<Inferred> infer_gather_nd(const InferContext& c) {
  const int64_t batch_dims = c.node.get_int("batch_dims", 0);
  const auto k = tuple_length(c, batch_dims);
  if (!k) return {{c.dtype(0), std::nullopt}};
  Shape shape(c.shape(1)->begin(), c.shape(1)->end() - 1);
  shape.insert(shape.end(), c.shape(0)->begin() + batch_dims + *k, c.shape(0)->end());
  return {{c.dtype(0), shape}};
}

void evaluate_gather_nd(const EvalContext& c) {
  if (c.output().numel() == 0) return;
  const RowPositions rows = row_positions(c, c.input(1), static_cast<size_t>(c.node.get_int("batch_dims", 0)));
  const size_t size = dtype_size(c.input(0).dtype()), row = static_cast<size_t>(rows.row) * size;
  std::byte* out = c.output().mutable_bytes().data();
  for (int64_t start : rows.starts) {
    std::memcpy(out, c.input(0).bytes().data() + static_cast<size_t>(start) * size, row);
    out += row;
  }
}

void check_scatter(const InferContext& c) {
  if (c.dtype(2) != c.dtype(0)) node_error(c.node, "writes {} into {}", dtype_name(c.dtype(2)), dtype_name(c.dtype(0)));
  const std::string reduction = c.node.get_string("reduction", "none");
  const std::string_view known[] = {"none", "add", "mul", "max", "min"};
  if (std::ranges::find(known, reduction) == std::end(known)) node_error(c.node, "reduction is '{}'", reduction);
  if (reduction != "none") require_number(c);
}

std::vector<Inferred> infer_scatter_elements(const InferContext& c) {
  check_scatter(c);
  if (const auto axis = axis_of(c, 0)) check_elements(c, *axis);
  if (c.shape(1) && c.shape(2) && is_known(*c.shape(1)) && is_known(*c.shape(2)) && *c.shape(1) != *c.shape(2))
    node_error(c.node, "indices of shape {} and updates of shape {}", shape_text(*c.shape(1)), shape_text(*c.shape(2)));
  return infer_like_input(c);
}

std::vector<Inferred> infer_scatter_nd(const InferContext& c) {
  check_scatter(c);
  const auto k = tuple_length(c, 0);
  if (!k || !c.shape(2)) return infer_like_input(c);
  Shape expected(c.shape(1)->begin(), c.shape(1)->end() - 1);
  expected.insert(expected.end(), c.shape(0)->begin() + *k, c.shape(0)->end());
  if (is_known(expected) && is_known(*c.shape(2)) && expected != *c.shape(2))
    node_error(c.node, "updates of shape {}, not {}", shape_text(*c.shape(2)), shape_text(expected));
  return infer_like_input(c);
}

template <typename T>
T combined(const std::string& reduction, T a, T b) {
  if (reduction == "add") return wrapping(a, b, [](auto x, auto y) { return x + y; });
  if (reduction == "mul") return wrapping(a, b, [](auto x, auto y) { return x * y; });
  if (reduction == "max") return b > a || b != b ? b : a;
  return b < a || b != b ? b : a;
}

/// Rows of the updates, one after the other, go to the rows given: they replace what is there or are added to it.
void write_rows(const EvalContext& c, const RowPositions& rows) {
  const std::string reduction = c.node.get_string("reduction", "none");
  if (reduction == "none") {
    const size_t size = dtype_size(c.input(0).dtype()), row = static_cast<size_t>(rows.row) * size;
    if (c.output().byte_size() == 0) return;
    std::memcpy(c.output().mutable_bytes().data(), c.input(0).bytes().data(), c.output().byte_size());
    const std::byte* from = c.input(2).bytes().data();
    for (size_t i = 0; i < rows.starts.size(); ++i)
      std::memcpy(c.output().mutable_bytes().data() + static_cast<size_t>(rows.starts[i]) * size, from + i * row, row);
    return;
  }
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    T* out = wide.output().template mutable_data<T>().data();
    std::ranges::copy(wide.input(0).template data<T>(), out);
    const T* from = wide.input(2).template data<T>().data();
    for (int64_t start : rows.starts)
      for (int64_t i = 0; i < rows.row; ++i, ++from) out[start + i] = combined(reduction, out[start + i], *from);
  });
}

void evaluate_scatter_elements(const EvalContext& c) {
  write_rows(c, {element_positions(c, c.input(1), axis_of(c, 0)), 1});
}

void evaluate_scatter_nd(const EvalContext& c) { write_rows(c, row_positions(c, c.input(1), 0)); }

}  // namespace

std::span<const Operator> scatter_operators() {
  static constexpr Operator kOperators[] = {
      {"", "GatherElements", 2, 2, infer_gather_elements, evaluate_gather_elements, kMixes, 11},
      {"", "GatherND", 2, 2, infer_gather_nd, evaluate_gather_nd, kMixes, 11},
      {"", "Scatter", 3, 3, infer_scatter_elements, evaluate_scatter_elements, kMixes, 9},
      {"", "ScatterElements", 3, 3, infer_scatter_elements, evaluate_scatter_elements, kMixes, 11},
      {"", "ScatterND", 3, 3, infer_scatter_nd, evaluate_scatter_nd, kMixes, 11},
  };
  return kOperators;
}

}  // namespace effdet::ops
