// Expand and Tile: dimensions repeated.
#include "base/checked.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_expand(const InferContext& c) {
  return {{c.dtype(0), broadcast(c.node, c.shape(0), c.listed_shape(1))}};
}

void evaluate_expand(const EvalContext& c) {
  const Shape& shape = c.output().shape();
  copy_strided(c.input(0), 0, shape, broadcast_strides(c.input(0).shape(), shape), c.output());
}

std::vector<Inferred> infer_tile(const InferContext& c) {
  const auto repeats = c.ints(1);
  if (!c.shape(0)) return {{c.dtype(0), std::nullopt}};
  Shape result(c.shape(0)->size(), -1);
  if (!repeats) return {{c.dtype(0), result}};
  if (repeats->size() != result.size())
    node_error(c.node, "{} repeats for {} dimensions", repeats->size(), result.size());
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t dim = (*c.shape(0))[i], count = (*repeats)[i];
    if (count < 0) node_error(c.node, "repeats {} times", count);
    if (dim < 0) continue;
    const auto size = checked_mul(static_cast<uint64_t>(dim), static_cast<uint64_t>(count));
    if (!size || *size > static_cast<uint64_t>(kMaxElements))
      node_error(c.node, "{} repeats of {} are too large", count, dim);
    result[i] = static_cast<int64_t>(*size);
  }
  return {{c.dtype(0), result}};
}

/// Each dimension d repeated r times is two: r of stride 0 and d of its own stride.
void evaluate_tile(const EvalContext& c) {
  const Shape &in = c.input(0).shape(), &out = c.output().shape();
  if (c.output().numel() == 0) return;
  const std::vector<int64_t> dense = dense_strides(in);
  Shape shape;
  std::vector<int64_t> strides;
  for (size_t i = 0; i < in.size(); ++i) {
    shape.insert(shape.end(), {out[i] / in[i], in[i]});
    strides.insert(strides.end(), {0, dense[i]});
  }
  copy_strided(c.input(0), 0, shape, strides, c.output());
}

}  // namespace

std::span<const Operator> expand_operators() {
  static constexpr Operator kOperators[] = {
      {"", "Expand", 2, 2, infer_expand, evaluate_expand, kMixes, 8},
      {"", "Tile", 2, 2, infer_tile, evaluate_tile, kMixes, 6},
  };
  return kOperators;
}

}  // namespace effdet::ops
