// Identity, Dropout, and ai.effdet::Choose: copies.
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

void copy_input(const EvalContext& c) { c.output() = c.input(0); }  // tensors are constant: sharing is copying

/// Only what inference does: with the input training_mode false, absent, or a ratio of 0, which drops nothing.
std::vector<Inferred> infer_dropout(const InferContext& c) {
  const auto is_false = [&](const Tensor* value) {
    return value != nullptr && scalar_value(c.node, *value, "training_mode") == 0;
  };
  const bool drops = !c.has(1) || c.value(1) == nullptr || scalar_value(c.node, *c.value(1), "ratio") != 0;
  if (c.has(2) && !is_false(c.value(2)) && drops)
    fail(ErrorCode::kUnsupported, "{}: training, which is random, is not supported", node_label(c.node));
  const DType mask = c.opset < 10 ? c.dtype(0) : DType::kBool;
  return {{c.dtype(0), c.shape(0)}, {mask, c.shape(0)}};
}

/// The mask, where it is wanted, says that everything was kept.
void evaluate_dropout(const EvalContext& c) {
  copy_input(c);
  if (c.outputs.size() < 2 || c.output(1).empty()) return;
  const Tensor one = Tensor::scalar<float>(1).to(c.output(1).dtype());
  c.output(1) = expanded(one, c.output(1).shape());
}

// --- Choose(condition, then, otherwise): what an If gives. run_reference() makes only the one that is taken.

std::vector<Inferred> infer_choose(const InferContext& c) {
  if (c.dtype(0) != DType::kBool) node_error(c.node, "the condition has type {}", dtype_name(c.dtype(0)));
  if (c.dtype(1) != c.dtype(2))
    fail(ErrorCode::kUnsupported, "{}: branches of types {} and {} are not supported", node_label(c.node),
         dtype_name(c.dtype(1)), dtype_name(c.dtype(2)));
  std::optional<Shape> shape = c.shape(1);
  if (!shape || !c.shape(2) || shape->size() != c.shape(2)->size()) return {{c.dtype(1), std::nullopt}};
  for (size_t k = 0; k < shape->size(); ++k)
    if ((*shape)[k] != (*c.shape(2))[k]) (*shape)[k] = -1;
  return {{c.dtype(1), shape}};
}

void evaluate_choose(const EvalContext& c) {
  c.output() = c.input(scalar_value(c.node, c.input(0), "condition") != 0 ? 1 : 2);
}

}  // namespace

std::span<const Operator> identity_operators() {
  static constexpr Card kIdentity{.batch = Batch::kByImage, .layout = LayoutRule::kFollows};
  static constexpr Card kChoose{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "Identity", 1, 1, infer_like_input, copy_input, kIdentity},
      {ir::kFusedDomain, "Choose", 3, 3, infer_choose, evaluate_choose, kChoose, 1, 1, true},
      {"", "Dropout", 1, 3, infer_dropout, evaluate_dropout, kByImage, 7, 2},
  };
  return kOperators;
}

}  // namespace effdet::ops
