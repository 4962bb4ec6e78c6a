// Concat: tensors joined along an axis.
#include <cstring>

#include "ops/fused/maps.h"
#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// Joins one input's shape to what is known of the output's so far.
void join(const InferContext& c, Shape& result, const Shape& part, int64_t axis) {
  if (part.size() != result.size())
    node_error(c.node, "shapes {} and {} do not concatenate", shape_text(result), shape_text(part));
  for (size_t i = 0; i < result.size(); ++i) {
    if (static_cast<int64_t>(i) == axis) {
      result[i] = result[i] < 0 || part[i] < 0 ? -1 : result[i] + part[i];
    } else if (result[i] < 0) {
      result[i] = part[i];
    } else if (part[i] >= 0 && part[i] != result[i]) {
      node_error(c.node, "shapes {} and {} do not concatenate on axis {}", shape_text(result), shape_text(part), axis);
    }
  }
}

std::vector<Inferred> infer_concat(const InferContext& c) {
  if (c.node.find("axis") == nullptr) node_error(c.node, "has no axis");
  require_same_types(c, c.inputs.size());
  Shape result;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    c.dtype(i);
    if (!c.shape(i)) return {{c.dtype(0), std::nullopt}};
    const int64_t axis = normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(c.shape(0)->size()));
    if (i == 0) {
      result = *c.shape(0);
    } else {
      join(c, result, *c.shape(i), axis);
    }
  }
  return {{c.dtype(0), result}};
}

void evaluate_concat(const EvalContext& c) {
  const Shape& shape = c.output().shape();
  const auto axis =
      static_cast<size_t>(normalize_axis(c.node, c.node.get_int("axis", 0), static_cast<int64_t>(shape.size())));
  const int64_t outer = dims_product(shape, 0, axis);
  const int64_t size = static_cast<int64_t>(dtype_size(c.output().dtype()));
  const int64_t out_row = dims_product(shape, axis, shape.size()) * size;
  auto* out = c.output().mutable_bytes().data();
  for (const Tensor* input : c.inputs) {
    const int64_t row = dims_product(input->shape(), axis, shape.size()) * size;
    for (int64_t i = 0; i < outer; ++i)
      std::memcpy(out + i * out_row, input->bytes().data() + i * row, static_cast<size_t>(row));
    out += row;
  }
}

}  // namespace

std::span<const Operator> concat_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};  // any number of them
  static constexpr Card kConcat{
      .batch = Batch::kAlongAxis, .slots = kSlots, .map_types = kMapTypes, .layout = LayoutRule::kFollows};
  static constexpr Operator kOperators[] = {
      {"", "Concat", 1, kVariadic, infer_concat, evaluate_concat, kConcat, 4},
  };
  return kOperators;
}

}  // namespace effdet::ops
