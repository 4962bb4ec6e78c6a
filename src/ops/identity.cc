#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

void copy_input(const EvalContext& c) { c.output() = c.input(0); }  // tensors are constant: sharing is copying

std::vector<Inferred> infer_dropout(const InferContext& c) {
  if (const Tensor* training = c.value(2); c.has(2))
    if (training == nullptr || training->dtype() != DType::kBool || training->numel() != 1 || training->data<bool>()[0])
      fail(ErrorCode::kUnsupported, "{}: training is not supported", node_label(c.node));
  return infer_like_input(c);
}

const Operator kOperators[] = {
    {"", "Identity", 1, 1, infer_like_input, copy_input},
    {"", "Dropout", 1, 3, infer_dropout, copy_input, 7},
};

}  // namespace

std::span<const Operator> identity_operators() { return kOperators; }

}  // namespace effdet::ops
