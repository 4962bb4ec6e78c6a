// Gather: slices chosen by places along an axis.
#include <cstring>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_gather(const InferContext& c) {
  require_index(c, 1);
  if (!known_rank(c, 0, 1)) return {{c.dtype(0), std::nullopt}};
  const Shape& data = *c.shape(0);
  const int64_t axis = normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(data.size()));
  if (!c.shape(1)) return {{c.dtype(0), std::nullopt}};
  Shape result(data.begin(), data.begin() + axis);
  result.insert(result.end(), c.shape(1)->begin(), c.shape(1)->end());
  result.insert(result.end(), data.begin() + axis + 1, data.end());
  return {{c.dtype(0), result}};
}

void evaluate_gather(const EvalContext& c) {
  const Shape& data = c.input(0).shape();
  const auto axis =
      static_cast<size_t>(normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(data.size())));
  const Tensor wide = c.input(1).to(DType::kI64);
  const auto indices = wide.data<int64_t>();
  for (int64_t index : indices)
    if (index < -data[axis] || index >= data[axis])
      node_error(c.node, "index {} is out of range for {} elements", index, data[axis]);
  const int64_t outer = dims_product(data, 0, axis);
  const int64_t row = dims_product(data, axis + 1, data.size()) * static_cast<int64_t>(dtype_size(c.input(0).dtype()));
  auto* out = c.output().mutable_bytes().data();
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t index : indices) {
      const int64_t position = index < 0 ? index + data[axis] : index;
      std::memcpy(out, c.input(0).bytes().data() + (i * data[axis] + position) * row, static_cast<size_t>(row));
      out += row;
    }
  }
}

}  // namespace

std::span<const Operator> gather_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Gather", 2, 2, infer_gather, evaluate_gather, kMixes},
  };
  return kOperators;
}

}  // namespace effdet::ops
